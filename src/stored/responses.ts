import { type Answer, withStep } from '../core/answer.ts'
import type { Trace } from '../core/trace.ts'
import type { ObjectKey } from '../state/objects.ts'
import { identifier } from '../wire/ids.ts'
import { isObject, type JsonObject, tryParse } from '../wire/json.ts'
import { heldBack } from './held-back.ts'
import { itemsToKeep, seesThoughts, withoutThoughts, withoutThoughtsIn } from './items.ts'
import type { Joined } from './joining.ts'
import { isId, type Keeping } from './keeping.ts'
import { objectsIn, rowOf } from './said.ts'
import { type Teller, Telling } from './telling.ts'

/** Items of one response: a request has so many statements on D1. */
const mostNoted = 20

export interface ResponseRequest {
  readonly owner: string
  readonly joined: Joined
  /** Whether the client wants it to be kept. */
  readonly stores: boolean
  readonly trace: Trace
}

/**
 * Keeps one response. One that its provider keeps goes out as it came, and only whose it is is noted; any other is kept
 * here, with all that it answers.
 */
export class ResponseKeeper implements Teller {
  readonly #request: ResponseRequest
  readonly #keeping: Keeping
  #id: string | undefined
  /** All that it answers, if that can't be read back from what it goes on from. */
  #whole: readonly JsonObject[] | undefined
  /** Resolves when its client can be told of its end, and find it then. */
  #writing: Promise<unknown> | undefined
  #added: readonly JsonObject[] | undefined
  /** Whether its provider says that it keeps it. */
  #isElsewhere = false

  constructor(request: ResponseRequest, keeping: Keeping) {
    this.#request = request
    this.#keeping = keeping
  }

  /** The same answer, as far as the client is told of it. */
  async kept(answer: Answer): Promise<Answer> {
    if (!(answer.body instanceof Uint8Array)) {
      const told = withStep(answer, { stage: new Telling(this), carried: 'never' })
      return heldBack(told, () => this.#writing, this.#keeping.clock)
    }
    const response = tryParse(new TextDecoder().decode(answer.body))
    if (!isObject(response)) return answer
    const told = this.told(response)
    const isKept = await this.#keep(response)
    if (told === response) return answer
    const body = isKept ? told : { ...told, store: response.store }
    return { ...answer, body: new TextEncoder().encode(JSON.stringify(body)) }
  }

  told(response: JsonObject): JsonObject {
    this.#isElsewhere = response.store === true
    const changed = this.#changed(response)
    return this.#hides ? withoutThoughtsIn(changed) : changed
  }

  toldItem(item: JsonObject): JsonObject {
    return this.#hides ? withoutThoughts(item) : item
  }

  ended(response: JsonObject): void {
    this.#writing = this.#keeping.within(this.#keep(response))
  }

  /** Whether the answer has more than its client asked for. */
  get #hides(): boolean {
    const { trace, joined } = this.#request
    return trace.keeps === true && !this.#isElsewhere && !seesThoughts(joined.body.outline.include)
  }

  #changed(response: JsonObject): JsonObject {
    const changes = { ...this.links, ...(this.#request.stores && !this.#isElsewhere && this.#own) }
    return Object.keys(changes).length > 0 ? { ...response, ...changes } : response
  }

  /** Resolves with whether what was to be kept is. Never rejects. */
  async #keep(response: JsonObject): Promise<boolean> {
    const { owner, stores, trace } = this.#request
    const told = this.#changed(response)
    const talking = this.goOn(told)
    if (!stores || !isId(told.id)) return await talking
    const key = { owner, kind: 'response', id: told.id } as const
    const provider = this.#isElsewhere ? providerOf(trace) : undefined
    const keeping = this.#isElsewhere
      ? provider === undefined || this.#note(key, provider, objectsIn(told.output))
      : this.#keeping.write(() => this.put(key, told))
    return (await Promise.all([keeping, talking])).every(Boolean)
  }

  /** Says whose it is and what it consists of, and who keeps it. Resolves with whether it is written; never rejects. */
  #note(key: ObjectKey, provider: string, output: readonly JsonObject[]): Promise<boolean> {
    const { owner } = key
    const items = output.map(({ id }) => id).filter(isId)
    const keys = [key, ...items.slice(0, mostNoted).map((id) => ({ owner, kind: 'item', id }) as const)]
    return this.#keeping.note(keys, provider)
  }

  /** That it is kept here. One that was answered to somebody before is another one, which only one client deletes. */
  get #own(): JsonObject {
    const { cache } = this.#request.trace
    if (cache !== 'hit' && cache !== 'shared') return { store: true }
    this.#id ??= identifier('resp_', this.#keeping.random, 48)
    return { id: this.#id, store: true }
  }

  /** What it goes on from. */
  get links(): JsonObject {
    const { previous, conversation } = this.#request.joined
    return {
      ...(previous !== undefined && { previous_response_id: previous }),
      ...(conversation !== undefined && { conversation: { id: conversation } }),
    }
  }

  /** Writes it, with what it answers or where that is. Rejects with a `StoreError` or `TooLarge`. */
  async put(key: ObjectKey, response: JsonObject, runningUntil?: number): Promise<void> {
    const { objects } = this.#keeping
    const { previous, before } = this.#request.joined
    const items = objectsIn(response.output)
    const object = { ...this.#keeping.objectOf(key, this.rowOf(response)), runningUntil }
    if (previous !== key.id && (await objects.put({ ...object, previous }, items))) return
    // What it goes on from was deleted meanwhile, or is of the same name.
    this.#whole = [...before, ...this.added]
    await objects.put({ ...object, body: this.rowOf(response) }, items)
  }

  /** What is in its row. */
  rowOf(response: JsonObject): JsonObject {
    const { conversation, until } = this.#request.joined
    if (this.#whole) return rowOf(response, { input: this.#whole })
    return rowOf(response, { input: this.added, ...(conversation !== undefined && { conversation, until }) })
  }

  /** What of what it answers is new, as clients read it back. */
  get added(): readonly JsonObject[] {
    this.#added ??= itemsToKeep(this.#request.joined.input(), this.#keeping.random)
    return this.#added
  }

  /** Adds what was said to its conversation. Resolves with whether it is; never rejects. */
  async goOn({ status, output }: JsonObject): Promise<boolean> {
    const { owner, joined } = this.#request
    const { conversation } = joined
    if (conversation === undefined || status === 'failed' || status === 'cancelled') return true
    const { objects, expiry } = this.#keeping
    const items = [...this.added, ...objectsIn(output)]
    return await this.#keeping.write(() => objects.append({ owner, parent: conversation }, items, expiry))
  }
}

/** Who has answered. */
function providerOf({ attempts, plan, givenBy }: Trace): string | undefined {
  const label = givenBy ?? attempts.findLast(({ failure }) => !failure)?.deployment
  return plan?.targets.find(({ deployment }) => deployment.label === label)?.deployment.provider.name
}
