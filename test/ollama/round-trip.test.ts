import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chatAnswer } from '../../providers/ollama/answer.ts'
import { chatRequest } from '../../providers/ollama/request.ts'
import { chatStream } from '../../providers/ollama/stream.ts'
import type { WireContext } from '../../src/core/provider.ts'
import type { Stage } from '../../src/core/stream.ts'
import { ollamaChat } from '../../src/dialects/ollama/chat.ts'
import { parseBody } from '../../src/wire/body.ts'
import { isObject, type JsonObject } from '../../src/wire/json.ts'
import { eventsOf } from '../support/ask.ts'
import { joinedLines, type Line } from '../support/ollama.ts'

const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))
const clock = { now: () => 1_700_000_000_000, after: () => () => {} }
const context = {
  random: () => 0,
  clock,
  model: 'p/m',
  reads: [],
  cacheControl: false,
  contextWindow: undefined,
  maxOutput: undefined,
}
const wire = (body: JsonObject): WireContext => ({
  ...{ body, model: 'm', id: 'chatcmpl-1', created: 1, random: () => 0, contextWindow: 1000 },
})
const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ'

const text = fc.string({ unit: 'binary' }).filter((one) => one.isWellFormed())
const some = text.filter((one) => one !== '')
const name = fc.stringMatching(/^[a-z_]{1,12}$/)
const args = fc.dictionary(name, fc.oneof(text, fc.integer(), fc.boolean(), fc.array(fc.integer())), {
  noNullPrototype: true,
})
const calls = fc.array(fc.record({ name, arguments: args }), { minLength: 1, maxLength: 3 })

/** A turn of the conversation: all of it, since calls have their results behind them. */
const turn: fc.Arbitrary<JsonObject[]> = fc.oneof(
  fc.record({ role: fc.constant('system'), content: text }).map((one) => [one]),
  fc.record({ role: fc.constant('user'), content: some }).map((one) => [one]),
  some.map((content) => [{ role: 'user', content, images: [png] }]),
  fc
    .record({ role: fc.constant('assistant'), content: text, thinking: some }, { requiredKeys: ['role', 'content'] })
    .map((one) => [one]),
  fc
    .tuple(calls, fc.array(some, { minLength: 3, maxLength: 3 }))
    .map(([made, results]) => [
      { role: 'assistant', content: '', tool_calls: made.map((one, index) => ({ function: { index, ...one } })) },
      ...made.map((one, at) => ({ role: 'tool', tool_name: one.name, content: results[at] })),
    ]),
)

const options = fc.record(
  {
    temperature: fc.double({ min: 0, max: 2, noNaN: true }).map((one) => one || 0),
    top_p: fc.constantFrom(0.1, 0.9),
    top_k: fc.nat(),
    min_p: fc.constantFrom(0, 0.5),
    seed: fc.integer(),
    num_predict: fc.integer({ min: 1, max: 4096 }),
    stop: fc.array(some, { minLength: 1, maxLength: 3 }),
    repeat_penalty: fc.constantFrom(1, 1.1),
    presence_penalty: fc.constantFrom(0, 0.5),
    frequency_penalty: fc.constantFrom(0, 0.5),
  },
  { requiredKeys: ['num_predict'] },
)

const fields = fc.record(
  {
    model: fc.constant('m'),
    messages: fc.array(turn, { minLength: 1, maxLength: 5 }).map((turns) => turns.flat()),
    tools: fc.array(
      name.map((one) => ({
        type: 'function',
        function: { name: one, parameters: { type: 'object', properties: {} } },
      })),
      { minLength: 1, maxLength: 2 },
    ),
    format: fc.oneof(fc.constant('json'), fc.constant({ type: 'object', properties: { a: { type: 'string' } } })),
    think: fc.constantFrom('low', 'medium', 'high', false),
    options,
    stream: fc.boolean(),
    logprobs: fc.constant(true),
  },
  { requiredKeys: ['model', 'messages', 'options', 'stream'] },
)

/** JSON without a schema is asked for in words too, or else the gateway does that. */
const request = fields.map((asked) => {
  const words = { role: 'system', content: 'In JSON.' }
  return asked.format === 'json' ? { ...asked, messages: [words, ...asked.messages] } : asked
})

/** Without the ids that were made up. */
function withoutIds(body: JsonObject): unknown {
  const bare = ({ tool_call_id: _, tool_calls: made, ...message }: JsonObject) => ({
    ...message,
    ...(Array.isArray(made) && { tool_calls: made.filter(isObject).map(({ id: __, ...call }) => call) }),
  })
  return { ...body, messages: (body.messages as JsonObject[]).map(bare) }
}

const begin = (asked: object) => ollamaChat.over?.begin(parseBody(bytes(asked)), context)

function run(stage: Stage | undefined, pieces: readonly string[]): string {
  let out = ''
  const emit = (piece: Uint8Array) => {
    out += new TextDecoder().decode(piece)
  }
  for (const piece of pieces) stage?.chunk(new TextEncoder().encode(piece), emit)
  stage?.end?.(emit)
  return out
}

describe('A chat in Ollama’s API', () => {
  it('that goes to an Ollama by way of a chat asks for the same', () => {
    fc.assert(
      fc.property(request, (asked) => {
        const made = begin(asked)
        expect(made?.dropped).toEqual([])
        const back = JSON.parse(JSON.stringify(chatRequest(wire(made?.body.json ?? {})))) as JsonObject
        expect(withoutIds(back)).toEqual(JSON.parse(JSON.stringify(asked)))
      }),
    )
  })

  const line = (said: object, more: object) => ({
    ...{ model: 'm', created_at: new Date(clock.now()).toISOString(), message: { role: 'assistant', ...said } },
    ...more,
  })
  const counts = fc.record({ prompt_eval_count: fc.nat(), eval_count: fc.nat() })
  const words = fc.array(some, { minLength: 1, maxLength: 6 })

  it('has the same answer by way of a chat, whole and as a stream', () => {
    fc.assert(
      fc.property(
        ...([words, fc.option(words, { nil: undefined }), fc.option(calls, { nil: undefined })] as const),
        ...([counts, fc.constantFrom('stop', 'length')] as const),
        (said, thoughts, made, used, reason) => {
          const toolCalls = made?.map((one, index) => ({ id: `call_${index}`, function: { index, ...one } }))
          const thinking = thoughts?.join('')
          const content = made ? '' : said.join('')
          const message = { content, ...(thinking && { thinking }), ...(toolCalls && { tool_calls: toolCalls }) }
          const end = { done: true, done_reason: made ? 'stop' : reason, ...used }
          const whole = JSON.parse(JSON.stringify(line(message, end))) as Line
          const pick = ({
            total_duration: _,
            load_duration: __,
            prompt_eval_duration: ___,
            eval_duration: ____,
            ...kept
          }: Line) => kept
          const asked = { model: 'm', messages: [{ role: 'user', content: 'hi' }] }

          const answered = begin({ ...asked, stream: false })?.answer(chatAnswer(whole as JsonObject, wire(asked)))
          expect(pick(JSON.parse(JSON.stringify(answered)) as Line)).toEqual(whole)

          const lines = [
            ...(thoughts ?? []).map((thought) => line({ content: '', thinking: thought }, { done: false })),
            ...(made ? [] : said.map((word) => line({ content: word }, { done: false }))),
            ...(toolCalls ? [line({ content: '', tool_calls: toolCalls }, { done: false })] : []),
            line({ content: '' }, end),
          ]
          const up = begin(asked)
          const chunks = run(
            chatStream(wire(up?.body.json ?? {})),
            lines.map((one) => `${JSON.stringify(one)}\n`),
          )
          const events = eventsOf(run(up?.stage?.(), [chunks])).map(({ data }) => JSON.parse(data) as Line)
          expect(pick(joinedLines(events))).toEqual(whole)
        },
      ),
    )
  })
})
