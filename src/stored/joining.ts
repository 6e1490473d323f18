import { checkCalls, itemsOf, replayed } from '../operations/responses/history.ts'
import { isToBeCompacted } from '../operations/responses/input.ts'
import { keptOf } from '../operations/responses/summary.ts'
import { tooLarge } from '../runtime/body-limit.ts'
import type { StoredItem } from '../state/objects.ts'
import { edited, invalid, type RequestBody } from '../wire/body.ts'
import { GatewayError } from '../wire/errors.ts'
import { isObject, type JsonObject, stringAt } from '../wire/json.ts'
import { referenceIn } from './items.ts'
import { type Keeping, readable } from './keeping.ts'

/** A request with all that it refers to. */
export interface Joined {
  readonly body: RequestBody
  /** What was said before, as it is kept. */
  readonly before: readonly JsonObject[]
  /** What of its input is new. */
  readonly input: () => readonly unknown[]
  /** That it goes on from, and its conversation: only those that are kept here. */
  readonly previous?: string | undefined
  readonly conversation?: string | undefined
}

/** Items of a conversation that are read at once. */
const page = 500
/** No request has room for more. */
const mostItems = 50_000
/** Bytes of a request with what was said before. */
const mostBytes = 32 * 1024 * 1024

/**
 * Joins what was said before to a request: the response that it goes on from, its conversation, and items that it names.
 * What isn't kept here stays as it is, for a provider that keeps it. Rejects with a 400 for what can't be joined.
 */
export async function joined(body: RequestBody, owner: string, keeping: Keeping): Promise<Joined> {
  const { outline } = body
  const previous = stringAt(outline, 'previous_response_id')
  const named = isObject(outline.conversation) ? outline.conversation.id : outline.conversation
  const conversation = typeof named === 'string' ? named : undefined
  if (previous !== undefined && conversation !== undefined) throw bothGiven()
  const said = previous === undefined ? undefined : await saidBefore(owner, previous, keeping)
  const items = conversation === undefined ? undefined : await saidIn(owner, conversation, keeping)
  const before = said ?? items
  const isReferring = Array.isArray(outline.input) && outline.input.some((item) => referenceIn(item) !== undefined)
  if (!before && !isReferring) return { body, before: [], input: () => itemsOf(body.json.input) }
  const input = isReferring ? await resolved(itemsOf(body.json.input), owner, keeping) : itemsOf(body.json.input)
  if (before) checkCalls([...before, ...input], input)
  const sent = [...(before ?? []).flatMap(replayed), ...input.flatMap((item) => sentOf(item, body.json.input))]
  const set = new Map([['input', JSON.stringify(sent)]])
  const drop = new Set([...(said ? ['previous_response_id'] : []), ...(items ? ['conversation'] : [])])
  const whole = edited(body, { set, drop })
  if (whole.bytes.length > mostBytes) throw tooLarge(mostBytes)
  return {
    ...{ body: whole, before: before ?? [], input: () => input },
    ...(said && { previous }),
    ...(items && { conversation }),
  }
}

/** What the client has written stays as it is; what stood for something else goes without its id. */
function sentOf(item: unknown, given: unknown): readonly unknown[] {
  const isGiven = !Array.isArray(given) || given.includes(item)
  return isGiven || !isObject(item) ? [item] : replayed(item)
}

/** Undefined: nobody knows it here, or a provider keeps it. */
async function saidBefore(owner: string, id: string, keeping: Keeping): Promise<readonly JsonObject[] | undefined> {
  const found = await keeping.find({ owner, kind: 'response', id })
  const response = found?.body.response
  if (!found || !isObject(response)) return undefined
  if (found.runningUntil !== undefined) {
    const message = `Previous response with id '${id}' is not over yet.`
    throw new GatewayError('bad_request', message, { param: 'previous_response_id' })
  }
  const { input } = found.body
  const given = isToBeCompacted(input) ? keptOf(input) : objectsIn(input)
  return [...given, ...objectsIn(response.output)]
}

async function saidIn(owner: string, id: string, keeping: Keeping): Promise<readonly JsonObject[] | undefined> {
  if (!(await keeping.find({ owner, kind: 'conversation', id }))) return undefined
  const all: JsonObject[] = []
  for (let last = -1; ; ) {
    const items: readonly StoredItem[] = await readable(() =>
      keeping.objects.itemsFrom({ owner, parent: id }, last, page),
    )
    all.push(...items.map(({ body }) => body))
    last = items.at(-1)?.place ?? last
    if (all.length > mostItems) throw tooLarge(mostBytes)
    if (items.length < page) return all
  }
}

async function resolved(items: readonly unknown[], owner: string, keeping: Keeping): Promise<readonly unknown[]> {
  const ids = items.map(referenceIn).filter((id) => id !== undefined)
  const found = await readable(async () => {
    await keeping.settled()
    return await keeping.objects.found(owner, ids)
  })
  return items.map((item) => found.get(referenceIn(item) ?? '') ?? item)
}

function objectsIn(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}

function bothGiven(): GatewayError {
  const message =
    "Mutually exclusive parameters: 'previous_response_id' and 'conversation'. Ensure you are only providing one of them."
  return invalid(message, 'previous_response_id', 'mutually_exclusive_parameters')
}
