import { checkCalls, itemsOf, replayed } from '../operations/responses/history.ts'
import { noConversation, notStored } from '../operations/responses/input.ts'
import { tooLarge } from '../runtime/body-limit.ts'
import { edited, invalid, type RequestBody } from '../wire/body.ts'
import { GatewayError } from '../wire/errors.ts'
import { isObject, type JsonObject, stringAt } from '../wire/json.ts'
import { referenceIn } from './items.ts'
import { type Keeping, readable } from './keeping.ts'
import { type Named, namesIn, refuseOthers } from './names.ts'
import { type Heard, heardIn, mostBytes, saidUpTo, toldOf } from './said.ts'

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
  /** The place of the last item of its conversation. */
  readonly until?: number | undefined
}

/**
 * Joins what was said before to a request: the response that it goes on from, its conversation, and items that it names.
 * What isn't kept here stays as it is, for a provider that keeps it, unless it is known to be somebody else's: the provider
 * has one key for all of them. Rejects with a 400 for what can't be joined.
 */
export async function joined(body: RequestBody, owner: string, keeping: Keeping): Promise<Joined> {
  const { outline } = body
  const previous = stringAt(outline, 'previous_response_id')
  const named = isObject(outline.conversation) ? outline.conversation.id : outline.conversation
  const conversation = typeof named === 'string' ? named : undefined
  if (previous !== undefined && conversation !== undefined) throw bothGiven()
  const said = previous === undefined ? undefined : await saidBefore(owner, previous, keeping)
  const heard = conversation === undefined ? undefined : await saidIn(owner, conversation, keeping)
  const before = said ?? heard?.items
  const found = await known(namesIn(body), owner, keeping)
  if (!before && !found) return { body, before: [], input: () => itemsOf(body.json.input) }
  const given = itemsOf(body.json.input)
  const input = found ? given.map((item) => found.get(referenceIn(item) ?? '') ?? item) : given
  if (before) checkCalls([...before, ...input], input)
  const sent = [...(before ?? []).flatMap(replayed), ...input.flatMap((item) => sentOf(item, body.json.input))]
  const set = new Map([['input', JSON.stringify(sent)]])
  const drop = new Set([...(said ? ['previous_response_id'] : []), ...(heard ? ['conversation'] : [])])
  const whole = edited(body, { set, drop })
  if (whole.bytes.length > mostBytes) throw tooLarge(mostBytes)
  return {
    ...{ body: whole, before: before ?? [], input: () => input },
    ...(said && { previous }),
    ...(heard && { conversation, until: heard.last }),
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
  if (!found && (await keeping.ofOthers(owner, [id])).has(id))
    throw notStored(`Previous response with id '${id}' not found.`, 'previous_response_id')
  if (!found || !isObject(found.body.response)) return undefined
  if (found.runningUntil !== undefined) {
    const message = `Previous response with id '${id}' is not over yet.`
    throw new GatewayError('bad_request', message, { param: 'previous_response_id' })
  }
  const told = await toldOf(found, keeping)
  return told && saidUpTo(told)
}

async function saidIn(owner: string, id: string, keeping: Keeping): Promise<Heard | undefined> {
  if (await keeping.find({ owner, kind: 'conversation', id })) return await heardIn(owner, id, keeping)
  if ((await keeping.ofOthers(owner, [id])).has(id)) throw noConversation(id)
  return undefined
}

/**
 * The items that a request names and that are kept here. Undefined: it names none by an id alone. Rejects with the 400 for
 * those that are somebody else's.
 */
async function known(
  named: readonly Named[],
  owner: string,
  keeping: Keeping,
): Promise<ReadonlyMap<string, JsonObject> | undefined> {
  const references = named.filter(({ isReference, path }) => isReference && path.startsWith('input'))
  const ids = references.map(({ id }) => id)
  const found =
    references.length > 0
      ? await readable(async () => {
          await keeping.settled()
          return await keeping.objects.found(owner, ids)
        })
      : undefined
  await refuseOthers(found ? named.filter(({ id }) => !found.has(id)) : named, owner, keeping)
  return found
}

function bothGiven(): GatewayError {
  const message =
    "Mutually exclusive parameters: 'previous_response_id' and 'conversation'. Ensure you are only providing one of them."
  return invalid(message, 'previous_response_id', 'mutually_exclusive_parameters')
}
