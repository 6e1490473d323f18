import type { Abort } from '../core/signal.ts'
import { eventsOf, mostCharacters, type ObjectKey, type StoredItem } from '../state/objects.ts'
import { isObject, type JsonObject, objectAt, stringAt, tryParse } from '../wire/json.ts'
import { withoutThoughts, withoutThoughtsIn } from './items.ts'
import type { Keeping } from './keeping.ts'

/** Milliseconds without a sign of life after which nobody works on a response any more. */
export const patience = 15_000

const last: ReadonlySet<unknown> = new Set(['response.completed', 'response.incomplete', 'response.failed'])

export interface RecorderOptions {
  readonly key: ObjectKey
  readonly keeping: Keeping
  /** What the response is called and belongs to, whatever its events say. */
  readonly own: JsonObject
  /** Whether the client isn't told what only the model can read. */
  readonly hides: boolean
  /** The number of the first event. */
  readonly first: number
  /** Aborted when nobody wants the response any more. */
  readonly wanted: Abort
}

/** Writes the events of a response as they come, so that every process can tell them, and says that somebody works on it. */
export class Recorder {
  readonly #options: RecorderOptions
  #number: number
  #waiting: StoredItem[] = []
  #size = 0
  #writing: Promise<unknown> = Promise.resolve()
  #cancelFlush: (() => void) | undefined
  #cancelBeat = () => {}
  #isOver = false
  /** The response as it ended. */
  ended: JsonObject | undefined

  constructor(options: RecorderOptions) {
    this.#options = options
    this.#number = options.first
    this.#live()
  }

  /** Takes the data of an event. Throws if there is more than is kept. */
  take(data: string): true {
    const event = tryParse(data)
    if (!isObject(event) || event.type === 'response.created' || this.ended) return true
    this.#size += data.length
    if (this.#size > mostCharacters) throw new Error('the response is too large to be kept')
    const { own, hides } = this.#options
    const [response, item] = [objectAt(event, 'response'), objectAt(event, 'item')]
    const whole = response && { ...response, ...own }
    const told = whole && hides ? withoutThoughtsIn(whole) : whole
    const shown = item && hides ? withoutThoughts(item) : item
    this.say({ ...event, ...(told && { response: told }), ...(shown && { item: shown }) })
    if (last.has(stringAt(event, 'type'))) this.ended = whole
    return true
  }

  /** Adds an event with the next number. */
  say(event: JsonObject): void {
    const place = this.#number++
    this.#waiting.push({ place, id: String(event.type), body: { ...event, sequence_number: place } })
    this.#cancelFlush ??= this.#options.keeping.clock.after(this.#options.keeping.pace.write, () => void this.flush())
  }

  /** Never rejects. */
  async flush(): Promise<void> {
    this.#cancelFlush?.()
    this.#cancelFlush = undefined
    const events = this.#waiting.splice(0)
    const { key, keeping } = this.#options
    const of = { owner: key.owner, parent: eventsOf(key.id) }
    this.#writing = this.#writing.then(() => keeping.write(() => keeping.objects.place(of, events)))
    await this.#writing
  }

  /** No more is to come. */
  async close(): Promise<void> {
    this.#isOver = true
    this.#cancelBeat()
    await this.flush()
  }

  /** Somebody else may have ended it: a client who cancels it, or deletes it. */
  #live(): void {
    const { key, keeping, wanted } = this.#options
    const { clock, objects } = keeping
    this.#cancelBeat = clock.after(keeping.pace.beat, async () => {
      const isWanted = await objects.keepRunning(key, Math.floor(clock.now()) + patience).catch(() => true)
      if (!isWanted) wanted.abort('It was cancelled.')
      else if (!this.#isOver) this.#live()
    })
  }
}
