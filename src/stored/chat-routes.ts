import type { StoredObject } from '../state/objects.ts'
import { invalid } from '../wire/body.ts'
import { isObject, type JsonObject, objectAt, stringAt } from '../wire/json.ts'
import { type Keeping, readable } from './keeping.ts'
import { listOf, metadataIn, missing, pageIn, type StoredRequest, type StoredRoute } from './request.ts'

/** What clients ask of chats that were stored. */
export const chatRoutes: readonly StoredRoute[] = [
  {
    method: 'GET',
    path: '/chat/completions',
    async serve({ owner, query }, { keeping }) {
      const page = pageIn(query, 'asc')
      const of = { owner, kind: 'chat' } as const
      const found = await readable(async () => {
        await keeping.settled()
        return await keeping.objects.list(of, { ...page, limit: page.limit + 1 }, filterIn(query))
      })
      return { json: listOf(found?.map(completionOf), page) }
    },
  },
  {
    method: 'GET',
    path: '/chat/completions/{}',
    serve: async (request, { keeping }) => ({ json: completionOf(await chatFor(request, keeping)) }),
  },
  {
    method: 'POST',
    path: '/chat/completions/{}',
    async serve(request, { keeping }) {
      const found = await chatFor(request, keeping)
      const asked = await request.json()
      if (asked.metadata === undefined)
        throw invalid("Missing required parameter: 'metadata'.", 'metadata', 'missing_required_parameter')
      const metadata = metadataIn(asked)
      const change = (body: JsonObject) => ({ ...body, completion: { ...objectAt(body, 'completion'), metadata } })
      const changed = await readable(() => keeping.objects.update(found, change))
      if (!changed) throw missing('Chat completion', found.id)
      return { json: completionOf(changed) }
    },
  },
  {
    method: 'DELETE',
    path: '/chat/completions/{}',
    async serve(request, { keeping }) {
      const found = await chatFor(request, keeping)
      await readable(() => keeping.objects.remove(found))
      return { json: { object: 'chat.completion.deleted', id: found.id, deleted: true } }
    },
  },
  {
    method: 'GET',
    path: '/chat/completions/{}/messages',
    async serve(request, { keeping }) {
      const { id, body } = await chatFor(request, keeping)
      const page = pageIn(request.query, 'asc')
      const { messages } = body
      const all = (Array.isArray(messages) ? messages : [])
        .filter(isObject)
        .map((one, at) => messageOf(one, `${id}-${at}`))
      const ordered = page.order === 'asc' ? all : all.toReversed()
      const at = page.after === undefined ? -1 : ordered.findIndex((one) => one.id === page.after)
      const isThere = page.after === undefined || at >= 0
      return { json: listOf(isThere ? ordered.slice(at + 1, at + 2 + page.limit) : undefined, page) }
    },
  },
]

async function chatFor({ owner, ids: [id = ''] }: StoredRequest, keeping: Keeping): Promise<StoredObject> {
  const found = await keeping.find({ owner, kind: 'chat', id })
  if (!found) throw missing('Chat completion', id)
  return found
}

function completionOf({ body }: StoredObject): JsonObject {
  return objectAt(body, 'completion') ?? {}
}

/** Which chats are wanted: of a model, or with metadata such as `metadata[team]=a`. */
function filterIn(query: URLSearchParams): (body: JsonObject) => boolean {
  const model = query.get('model')
  const wanted = [...query].flatMap(([name, value]) => {
    const key = /^metadata\[(.*)\]$/s.exec(name)?.[1]
    return key === undefined ? [] : [[key, value] as const]
  })
  return ({ completion }) => {
    const metadata = objectAt(completion, 'metadata')
    const isOfModel = model === null || stringAt(completion, 'model') === model
    return isOfModel && wanted.every(([key, value]) => metadata?.[key] === value)
  }
}

/** A message of the request as clients read it back: parts are beside its text. */
function messageOf(message: JsonObject, id: string): JsonObject {
  const { content } = message
  const parts = Array.isArray(content) ? content : null
  const text = parts?.map((part) => stringAt(part, 'text') ?? '').join('')
  return { id, ...message, content: text ?? content ?? null, content_parts: parts }
}
