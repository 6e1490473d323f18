import { atHand } from '../../core/late.ts'
import type { Lacking, Shareable, Sharing, StreamJoiner } from '../../core/operation.ts'
import { edited, type RequestBody } from '../../wire/body.ts'
import { isFormBody } from '../../wire/body-kinds.ts'
import { GatewayError } from '../../wire/errors.ts'
import { isObject, tryParse } from '../../wire/json.ts'
import { bytesOf, type ServerEvent } from '../../wire/sse.ts'
import { addedUsage } from '../common/usage.ts'

const someAtOnce: Sharing = {
  split(body, { choices: atOnce }) {
    const n = wantedBy(body.outline)
    if (atOnce === undefined || n <= atOnce) return undefined
    const { seed } = body.outline
    const isSeeded = seed !== undefined && seed !== null && Number.isInteger(Number(seed))
    const parts = Math.ceil(n / atOnce)
    if (!body.isWhole || (isSeeded && parts * body.bytes.length > mostBytes)) throw tooLarge()
    const last = n - (parts - 1) * atOnce
    if (!isSeeded) {
      const part = withFields(body, { n: atOnce })
      return [...Array.from({ length: parts - 1 }, () => part), last === atOnce ? part : withFields(body, { n: last })]
    }
    // With the same seed all images would be the same.
    const seeded = (at: number) => withFields(body, { n: at === parts - 1 ? last : atOnce, seed: Number(seed) + at })
    return Array.from({ length: parts }, (_, at) => seeded(at))
  },
  join(answers) {
    const usage = answers.map((answer) => answer.usage).reduce(addedUsage, undefined)
    const data = answers.flatMap(({ data }) => (Array.isArray(data) ? data : []))
    return { ...answers[0], data, ...(isObject(usage) && { usage }) }
  },
  silently({ data }, { outline }) {
    const made = Array.isArray(data) ? data.length : 0
    return made > 0 && made < wantedBy(outline) ? { most: { choices: made }, parts: 1 } : undefined
  },
  lackingIn: ({ outline }) => new LackingImages(wantedBy(outline)),
  joinStreams: () => eventsAsTheyCome,
}

/** Shares out the images of a request. */
export const sharingImages: Shareable = {
  param: 'n',
  concerns: (asked) => wantedBy(asked) > 1,
  how: atHand(someAtOnce),
}

/** Bytes of all requests together, where each is another one. */
const mostBytes = 32 * 1024 * 1024

function tooLarge(): GatewayError {
  const message = "Unsupported parameter: 'n' takes several requests here, and this one is too large for that."
  return new GatewayError('incapable', message, { param: 'n' })
}

/** A form's values are texts. */
function wantedBy({ n }: RequestBody['outline']): number {
  const wanted = Number(n ?? 1)
  return Number.isInteger(wanted) ? wanted : 1
}

function withFields(body: RequestBody, fields: Readonly<Record<string, number>>): RequestBody {
  const set = new Map(Object.entries(fields).map(([name, value]) => [name, String(value)]))
  return isFormBody(body) ? body.with({ set }) : edited(body, { set })
}

/** Counts the images of a stream. */
class LackingImages implements Lacking {
  readonly most = { choices: 1 }
  readonly #wanted: number
  #made = 0

  constructor(wanted: number) {
    this.#wanted = wanted
  }

  get isWhole(): boolean {
    return this.#made >= this.#wanted
  }

  see(event: ServerEvent): void {
    if (/\.completed$/.test(String(typeOf(event)))) this.#made++
  }

  missing(): readonly number[] {
    return Array.from({ length: this.#wanted - this.#made }, (_, at) => this.#made + at)
  }
}

function typeOf({ data, event }: ServerEvent): unknown {
  const told = tryParse(data)
  return isObject(told) ? (told.type ?? event) : undefined
}

/** No event of an image says anything of the others. */
const eventsAsTheyCome: StreamJoiner = {
  event: (event) => (event.data.trim() === '[DONE]' ? undefined : bytesOf(event)),
  noted: () => false,
  end: () => [],
}
