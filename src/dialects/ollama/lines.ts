import { CallPieces } from '../../operations/choices/call-pieces.ts'
import { type ChatEnd, ChatEvents } from '../../operations/common/chat-events.ts'
import type { Extra } from '../../operations/common/extras.ts'
import type { Random } from '../../wire/ids.ts'
import { isObject, type JsonObject, stringAt } from '../../wire/json.ts'
import { callsOf, doneReason, type Form, logprobsIn, readCalls, saidIn } from './form.ts'
import { type Stopwatch, timingsIn } from './measures.ts'
import { errorLine } from './words.ts'

/** Its answers are text, thoughts and calls. */
export const extras: readonly Extra[] = ['annotations', 'images', 'audio']

/** A request that has become a chat. */
export interface Begun {
  readonly form: Form
  /** The model's name, if the chat doesn't tell it. */
  readonly model: string
  readonly watch: Stopwatch
  readonly random: Random
}

/** Makes the lines of an answer from the chunks of a chat, each as an event. */
export class AnswerLines extends ChatEvents {
  protected override readonly extras = extras
  readonly #form: Form
  readonly #watch: Stopwatch
  readonly #calls: CallPieces
  #model: string
  #timings: JsonObject | undefined
  /** The start of a line, up to its time. */
  #head = ''

  constructor({ form, model, watch, random }: Begun) {
    super()
    this.#form = form
    this.#watch = watch
    this.#model = model
    this.#calls = new CallPieces(random)
  }

  protected open(chunk: JsonObject): void {
    this.#model = stringAt(chunk, 'model') || this.#model
    this.#head = `data: {"model":${JSON.stringify(this.#model)},"created_at":"`
  }

  protected override see(chunk: JsonObject): void {
    this.#timings = timingsIn(chunk) ?? this.#timings
  }

  protected speak(text: string): void {
    if (text === '') return
    this.#watch.spoke()
    this.say(`${this.#head}${this.#watch.stamp()}",${this.#form.text(JSON.stringify(text))},"done":false}\n\n`)
  }

  protected add(delta: JsonObject, logprobs: unknown): void {
    const said = saidIn(delta)
    const tokens = logprobsIn(logprobs)
    if (Array.isArray(delta.tool_calls)) {
      this.#watch.spoke()
      this.#calls.add(delta.tool_calls)
    }
    if (said.content === '' && said.thinking === '' && !tokens.logprobs) return
    this.#watch.spoke()
    this.#line({ ...this.#form.said(said), done: false, ...tokens })
  }

  protected close({ finish, usage }: ChatEnd): void {
    const { calls, failure } = readCalls(this.#calls.whole(), finish)
    if (calls.length > 0) this.#line({ ...this.#form.said({ content: '', calls }), done: false })
    if (failure) throw failure
    const measures = this.#watch.measures({ usage, timings: this.#timings })
    this.#line({ ...this.#form.said({ content: '' }), done: true, done_reason: doneReason(finish), ...measures })
  }

  protected failed(error: unknown): void {
    this.say(`data: ${errorLine(error)}\n\n`)
  }

  #line(fields: JsonObject): void {
    this.say(`${this.#head}${this.#watch.stamp()}",${JSON.stringify(fields).slice(1)}\n\n`)
  }
}

/** A whole answer. `message`: what the chat's only choice says. */
export function wholeAnswer(
  answer: JsonObject,
  choice: JsonObject | undefined,
  { form, model, watch }: Begun,
): JsonObject {
  const message = isObject(choice?.message) ? choice.message : {}
  const finish = choice?.finish_reason
  const usage = isObject(answer.usage) ? answer.usage : undefined
  return {
    model: stringAt(answer, 'model') || model,
    created_at: watch.stamp(),
    ...form.said({ ...saidIn(message), calls: callsOf(message.tool_calls, finish) }),
    done: true,
    done_reason: doneReason(finish),
    ...watch.measures({ usage, timings: timingsIn(answer) }),
    ...logprobsIn(choice?.logprobs),
  }
}

/** The answer to a request without a text, which only loads a model or lets go of it. */
export function emptyAnswer(asked: JsonObject, { form, model, watch }: Begun): JsonObject {
  return {
    model: stringAt(asked, 'model') ?? model,
    created_at: watch.stamp(),
    ...form.said({ content: '' }),
    done: true,
    done_reason: isNothing(asked.keep_alive) ? 'unload' : 'load',
  }
}

/** Whether a duration is 0: a number of seconds, or a text such as `0s`. */
function isNothing(duration: unknown): boolean {
  return duration === 0 || (typeof duration === 'string' && /^[+-]?0+(\.0*)?(ns|us|µs|ms|s|m|h)?$/.test(duration))
}
