import type { AtOnce, Lacking, Sharing, StreamJoiner } from '../../core/operation.ts'
import { edited, type RequestBody } from '../../wire/body.ts'
import { type FailureKind, GatewayError } from '../../wire/errors.ts'
import { isObject, type JsonObject, tryParse } from '../../wire/json.ts'
import { done, frame, type ServerEvent } from '../../wire/sse.ts'
import { addedUsage } from '../common/usage.ts'
import { ChoiceIndexes } from '../repair/choice-indexes.ts'
import { indexOf } from '../repair/head.ts'
import { wantedBy } from './wanted.ts'

/** `best_of` without more than `n` is the same as `n`. */
const asking = new Set(['n', 'best_of'])

/** Each exchange is asked for one choice, and costs its prompt again. */
export const choiceByChoice: Sharing = {
  split(body, { choices: most }) {
    const wanted = wantedBy(body.outline)
    if (most === undefined || wanted <= most) return undefined
    const single = edited(body, { drop: asking })
    const { seed } = body.outline
    if (typeof seed !== 'number') return Array.from({ length: wanted }, () => single)
    if (wanted * body.bytes.length > mostBytes) throw tooLarge()
    // With the same seed all choices would be the same. vLLM counts up as well (v1/engine/parallel_sampling.py).
    const seeded = (at: number) => edited(single, { set: new Map([['seed', JSON.stringify(seed + at)]]) })
    return Array.from({ length: wanted }, (_, at) => seeded(at))
  },
  join(answers, body, first = 1) {
    const wanted = wantedBy(body.outline)
    const prompts = promptsOf(body.outline)
    const choices = answers.flatMap(({ choices: own }, answer) => {
      const each = answer === 0 ? first : 1
      const part = answer === 0 ? 0 : first + answer - 1
      // Whoever was asked for one may still send more.
      return (Array.isArray(own) ? own.filter(isObject) : []).slice(0, prompts * each).map((choice, at) => {
        const index = Math.min(indexOf(choice.index) ?? at, prompts * each - 1)
        return { ...choice, index: placeOf(Math.floor(index / each), part + (index % each), wanted) }
      })
    })
    const usage = answers.map((answer) => answer.usage).reduce(addedUsage, undefined)
    return {
      ...answers[0],
      choices: choices.sort((one, other) => one.index - other.index),
      ...(isObject(usage) && { usage }),
    }
  },
  silently({ choices }, { outline }) {
    const parts = Array.isArray(choices) ? choices.length / promptsOf(outline) : 0
    return Number.isInteger(parts) && parts > 0 && parts < wantedBy(outline) ? { most: oneAtOnce, parts } : undefined
  },
  lackingIn: ({ outline }) => new LackingChoices(outline),
  joinStreams: ({ outline }) => new ChoicesJoiner(wantedBy(outline), promptsOf(outline)),
  told: (failure) =>
    refusals.has(failure.kind) && refusesSeveral(failure) ? { most: { choices: 1 }, lasts: true } : undefined,
}

const oneAtOnce: AtOnce = { choices: 1 }

/** Tells which choices have not begun in a stream. */
class LackingChoices implements Lacking {
  readonly most = oneAtOnce
  readonly #indexes: ChoiceIndexes
  readonly #seen = new Set<number>()
  readonly #wanted: number
  readonly #prompts: number

  constructor(outline: JsonObject) {
    this.#indexes = new ChoiceIndexes({ body: outline })
    this.#wanted = wantedBy(outline)
    this.#prompts = promptsOf(outline)
  }

  get isWhole(): boolean {
    return this.#seen.size >= this.#wanted * this.#prompts
  }

  see({ data }: ServerEvent): void {
    const chunk = tryParse(data)
    const choices = isObject(chunk) && Array.isArray(chunk.choices) ? chunk.choices.filter(isObject) : []
    for (const [at, choice] of choices.entries()) this.#seen.add(this.#indexes.next(choice, at, choices.length))
  }

  /** With several prompts the choices that have gone out have the indexes of others. */
  missing(): readonly number[] | undefined {
    if (this.#prompts > 1) return undefined
    return Array.from({ length: this.#wanted }, (_, index) => index).filter((index) => !this.#seen.has(index))
  }
}

/** Bytes of all requests together, where each is another one. */
const mostBytes = 32 * 1024 * 1024

function tooLarge(): GatewayError {
  const message =
    "Unsupported parameter: 'n' takes a request for each choice here, and with 'seed' this one is too large for that."
  return new GatewayError('incapable', message, { param: 'n' })
}

/** How many prompts there are, each of which has choices of its own. */
function promptsOf({ prompt }: RequestBody['outline']): number {
  return Array.isArray(prompt) && prompt.some((one) => typeof one !== 'number') ? prompt.length : 1
}

/** The index of a choice among all: of several prompts, each has all of its choices in a row. */
function placeOf(prompt: number, part: number, wanted: number): number {
  return prompt * wanted + part
}

const refusals: ReadonlySet<FailureKind> = new Set(['bad_request', 'incapable', 'upstream'] as const)

function refusesSeveral({ code, param, message }: GatewayError): boolean {
  if (param !== null && !asking.has(param)) return false
  return (
    (param !== null && (code === 'unsupported_parameter' || code === 'unknown_parameter')) ||
    oneOnly.some((words) => words.test(message))
  )
}

/** How upstreams refuse more than one choice. */
// biome-ignore format: a table
const oneOnly: readonly RegExp[] = [
  /only one (completion )?choice is allowed/i, // llama.cpp, tools/server/server-common.cpp
  /['"`]?\bn\b['"`]? ?:? ?(number )?must be (at most|equal to|less than or equal to|<=) 1\b/i, // Groq, in the words of its validation
  /\bn\b.{0,20}(greater|more|larger) than 1\b.{0,40}not (supported|allowed)/i,
  /unsupported (param(eter)?|value): ?['"`]?n\b/i, // in OpenAI's words
]

/** Joins streams of one choice each, as events of one answer. */
class ChoicesJoiner implements StreamJoiner {
  readonly #wanted: number
  readonly #prompts: number
  /** What all events of an answer have in common, from the first one. */
  #head: JsonObject | undefined
  /** The usage of each part: some upstreams tell it again and again, each time of all so far. */
  readonly #usage = new Map<number, JsonObject>()

  constructor(wanted: number, prompts: number) {
    this.#wanted = wanted
    this.#prompts = prompts
  }

  noted({ data }: ServerEvent): boolean {
    const chunk = tryParse(data)
    if (!isObject(chunk)) return false
    this.#note(chunk, 0)
    return isObject(chunk.usage) && Array.isArray(chunk.choices) && chunk.choices.length === 0
  }

  #note({ id, created, model, object, usage }: JsonObject, part: number): void {
    this.#head ??= { id, created, model, object }
    if (isObject(usage)) this.#usage.set(part, usage)
  }

  event({ data }: ServerEvent, part: number): Uint8Array | undefined {
    const chunk = tryParse(data)
    if (!isObject(chunk)) return undefined
    this.#note(chunk, part)
    const { choices, usage, ...rest } = chunk
    const given = (Array.isArray(choices) ? choices : [choices]).filter(isObject)
    const own = given.filter((choice, at) => (indexOf(choice.index) ?? at) < this.#prompts)
    if (own.length === 0 && given.length > 0) return undefined
    if (own.length === 0 && (isObject(usage) || Array.isArray(choices))) return undefined
    return frame({
      ...rest,
      ...this.#head,
      ...(Array.isArray(choices) && {
        choices: own.map((choice, at) => ({
          ...choice,
          index: placeOf(indexOf(choice.index) ?? at, part, this.#wanted),
        })),
      }),
      ...(usage === null && { usage }),
    })
  }

  end(): readonly Uint8Array[] {
    if (this.#usage.size === 0) return [done]
    const usage = [...this.#usage.values()].reduce<unknown>(addedUsage, undefined)
    return [frame({ ...this.#head, choices: [], usage }), done]
  }
}
