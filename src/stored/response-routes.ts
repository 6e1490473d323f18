import { eventsOf as eventsFor } from '../operations/responses/whole-events.ts'
import { eventsOf, type Page, type StoredObject } from '../state/objects.ts'
import { invalid } from '../wire/body.ts'
import { GatewayError, shorten } from '../wire/errors.ts'
import type { JsonObject } from '../wire/json.ts'
import { done, typedFrame } from '../wire/sse.ts'
import { failed } from './failed.ts'
import { followed, replayedEvents } from './followed.ts'
import { withoutThoughts, withoutThoughtsIn } from './items.ts'
import { type Keeping, readable } from './keeping.ts'
import {
  asksThoughts,
  listOf,
  missing,
  pageIn,
  type Served,
  type StoredRequest,
  type StoredRoute,
  type StoredServices,
} from './request.ts'
import { responseIn, toldOf } from './said.ts'

/** What clients ask of responses that were made before. */
export const responseRoutes: readonly StoredRoute[] = [
  {
    method: 'GET',
    path: '/responses/{}',
    async serve(request, { keeping }) {
      const { found, response } = await responseFor(request, keeping)
      if (!response) return elsewhere(found)
      const told = asksThoughts(request.query) ? response : withoutThoughtsIn(response)
      if (request.query.get('stream') !== 'true') return { json: told }
      const after = startIn(request.query)
      const isRecorded = response.background === true
      return { answer: isRecorded ? followed(found, after, keeping) : replayedEvents(eventsBehind(told, after)) }
    },
  },
  {
    method: 'DELETE',
    path: '/responses/{}',
    async serve(request, { keeping, background }) {
      const { found, response } = await responseFor(request, keeping)
      if (!response) return elsewhere(found)
      await readable(() => keeping.objects.remove(found))
      background?.stop(found)
      return { json: { id: found.id, object: 'response', deleted: true } }
    },
  },
  {
    method: 'GET',
    path: '/responses/{}/input_items',
    async serve(request, { keeping }) {
      const { found, response } = await responseFor(request, keeping)
      if (!response) return elsewhere(found)
      const page = pageIn(request.query, 'desc')
      const items = (await toldOf(found, keeping))?.input ?? []
      const told = asksThoughts(request.query) ? items : items.map(withoutThoughts)
      return { json: listOf(behind(told, page), page) }
    },
  },
  {
    method: 'POST',
    path: '/responses/{}/cancel',
    async serve(request, services) {
      const { found, response } = await responseFor(request, services.keeping)
      if (!response) return elsewhere(found)
      if (response.background !== true) throw invalid('Cannot cancel a synchronous response.')
      const now = found.runningUntil === undefined ? response : await cancelled(found, response, services)
      return { json: withoutThoughtsIn(now) }
    },
  },
]

interface Response {
  readonly found: StoredObject
  readonly response: JsonObject | undefined
}

/** A response, as it stands: `response` is undefined if a provider has it. Rejects with a 404 if nobody knows it. */
async function responseFor({ owner, ids: [id = ''] }: StoredRequest, keeping: Keeping): Promise<Response> {
  const found = await keeping.find({ owner, kind: 'response', id })
  if (!found) throw missing('Response', id)
  const response = await responseIn(found, keeping)
  if (!response) return { found, response }
  const isDead = found.runningUntil !== undefined && found.runningUntil <= keeping.clock.now()
  return isDead ? await brokenOff(found, response, keeping) : { found, response }
}

/** The process that made it has ended without a word. */
async function brokenOff(found: StoredObject, response: JsonObject, keeping: Keeping): Promise<Response> {
  const told = failed(response, new GatewayError('internal', 'The gateway ended before the response was made.'))
  const { objects } = keeping
  await readable(async () => {
    const of = { owner: found.owner, parent: eventsOf(found.id) }
    const [last] = (await objects.items(of, { limit: 1, order: 'desc' })) ?? []
    const place = (last?.place ?? 1) + 1
    const type = 'response.failed'
    await objects.place(of, [{ place, id: type, body: { type, sequence_number: place, response: told } }])
    await objects.finish(found, { ...found.body, response: told })
  })
  const { runningUntil: _, ...over } = found
  return { found: over, response: told }
}

async function cancelled(found: StoredObject, response: JsonObject, { keeping, background }: StoredServices) {
  const told = { ...response, status: 'cancelled' }
  const isNow = await readable(() => keeping.objects.finish(found, { ...found.body, response: told }))
  background?.stop(found)
  if (isNow) return told
  // It has ended in the meantime.
  const now = await readable(() => keeping.objects.get(found))
  return (now && (await responseIn(now, keeping))) ?? told
}

function elsewhere({ body }: StoredObject): Served {
  return { provider: String(body.provider) }
}

function startIn(query: URLSearchParams): number {
  const given = query.get('starting_after')
  if (given === null) return -1
  if (/^\d{1,9}$/.test(given)) return Number(given)
  const message = `Invalid type for 'starting_after': expected an integer, but got '${shorten(given)}' instead.`
  throw invalid(message, 'starting_after', 'invalid_type')
}

async function* eventsBehind(response: JsonObject, after: number): AsyncGenerator<Uint8Array> {
  for (const event of eventsFor(response)) if (Number(event.sequence_number) > after) yield typedFrame(event)
  yield done
}

/** The items of a page and one more, if there are as many; undefined if there is no `after`. */
function behind(items: readonly JsonObject[], { after, limit, order }: Page): readonly JsonObject[] | undefined {
  const ordered = order === 'asc' ? items : items.toReversed()
  const at = after === undefined ? -1 : ordered.findIndex(({ id }) => id === after)
  return after !== undefined && at < 0 ? undefined : ordered.slice(at + 1, at + 2 + limit)
}
