import type { StoredObject } from '../state/objects.ts'
import { describe, invalid } from '../wire/body.ts'
import { identifier } from '../wire/ids.ts'
import type { JsonObject } from '../wire/json.ts'
import { checkItem } from './check-items.ts'
import { itemsToKeep, withoutThoughts } from './items.ts'
import { type Keeping, readable } from './keeping.ts'
import { namesOf, refuseOthers } from './names.ts'
import { asksThoughts, listOf, metadataIn, missing, pageIn, type StoredRequest, type StoredRoute } from './request.ts'

/** Items that a client adds at once, as OpenAI has it. */
const mostItems = 20

/** Conversations, of which each response is a part. */
export const conversationRoutes: readonly StoredRoute[] = [
  {
    method: 'POST',
    path: '/conversations',
    async serve({ owner, json }, { keeping }) {
      const asked = await json()
      const metadata = metadataIn(asked)
      const items = await itemsIn(asked, owner, keeping)
      const { objects, clock, random, expiry, seconds } = keeping
      const id = identifier('conv_', random, 48)
      const body = { id, object: 'conversation', created_at: seconds, metadata }
      const created = Math.floor(clock.now())
      await readable(() => objects.put({ owner, kind: 'conversation', id, created, expires: expiry, body }, items))
      return { json: body }
    },
  },
  {
    method: 'GET',
    path: '/conversations/{}',
    serve: async (request, { keeping }) => ({ json: (await conversationFor(request, keeping)).body }),
  },
  {
    method: 'POST',
    path: '/conversations/{}',
    async serve(request, { keeping }) {
      const found = await conversationFor(request, keeping)
      const metadata = metadataIn(await request.json())
      const changed = await readable(() => keeping.objects.update(found, (body) => ({ ...body, metadata })))
      if (!changed) throw missing('Conversation', found.id)
      return { json: changed.body }
    },
  },
  {
    method: 'DELETE',
    path: '/conversations/{}',
    async serve(request, { keeping }) {
      const found = await conversationFor(request, keeping)
      await readable(() => keeping.objects.remove(found))
      return { json: { id: found.id, object: 'conversation.deleted', deleted: true } }
    },
  },
  {
    method: 'GET',
    path: '/conversations/{}/items',
    async serve(request, { keeping }) {
      const { owner, id: parent } = await conversationFor(request, keeping)
      const page = pageIn(request.query, 'desc')
      const found = await readable(() => keeping.objects.items({ owner, parent }, { ...page, limit: page.limit + 1 }))
      return {
        json: listOf(
          found?.map(({ body }) => body),
          page,
        ),
      }
    },
  },
  {
    method: 'POST',
    path: '/conversations/{}/items',
    async serve(request, { keeping }) {
      const { owner, id: parent } = await conversationFor(request, keeping)
      const asked = await request.json()
      if (asked.items === undefined)
        throw invalid("Missing required parameter: 'items'.", 'items', 'missing_required_parameter')
      const items = await itemsIn(asked, owner, keeping)
      const isThere = await readable(() => keeping.objects.append({ owner, parent }, items, keeping.expiry))
      if (!isThere) throw missing('Conversation', parent)
      return { json: listOf(items, { limit: mostItems, order: 'asc' }) }
    },
  },
  {
    method: 'GET',
    path: '/conversations/{}/items/{}',
    async serve(request, { keeping }) {
      const { owner, id: parent } = await conversationFor(request, keeping)
      const [, id = ''] = request.ids
      const item = await readable(() => keeping.objects.item({ owner, parent }, id))
      if (!item) throw missing('Item', id)
      return { json: asksThoughts(request.query) ? item.body : withoutThoughts(item.body) }
    },
  },
  {
    method: 'DELETE',
    path: '/conversations/{}/items/{}',
    async serve(request, { keeping }) {
      const { owner, id: parent, body } = await conversationFor(request, keeping)
      const [, id = ''] = request.ids
      if (!(await readable(() => keeping.objects.removeItem({ owner, parent }, id)))) throw missing('Item', id)
      return { json: body }
    },
  },
]

async function conversationFor({ owner, ids: [id = ''] }: StoredRequest, keeping: Keeping): Promise<StoredObject> {
  const found = await keeping.find({ owner, kind: 'conversation', id })
  if (!found) throw missing('Conversation', id)
  return found
}

/** The items that a client adds. Rejects with the 400 for what are none, and for ids of what a provider keeps for others. */
async function itemsIn({ items }: JsonObject, owner: string, keeping: Keeping): Promise<readonly JsonObject[]> {
  if (items === undefined || items === null) return []
  if (!Array.isArray(items)) {
    const message = `Invalid type for 'items': expected an array of objects, but got ${describe(items)} instead.`
    throw invalid(message, 'items', 'invalid_type')
  }
  if (items.length > mostItems) {
    const message = `Invalid 'items': array too long. Expected an array with maximum length ${mostItems}, but got an array with length ${items.length} instead.`
    throw invalid(message, 'items', 'array_above_max_length')
  }
  for (const [at, item] of items.entries()) checkItem(item, `items[${at}]`)
  await refuseOthers(namesOf(items, 'items'), owner, keeping)
  return itemsToKeep(items, keeping.random)
}
