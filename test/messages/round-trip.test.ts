import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { messages } from '../../src/dialects/anthropic/messages.ts'
import { toChat } from '../../src/dialects/anthropic/request.ts'
import { parseBody } from '../../src/wire/body.ts'
import { asking, readEvents, wholeOf } from '../support/messages.ts'
import { chatSaying, usageChunk } from '../support/response-events.ts'
import { chunk } from '../support/upstream.ts'

const context = {
  ...{ random: () => 0, clock: { now: () => 0, after: () => () => {} }, model: 'm' },
  ...{ reads: ['anthropic-claude-v1'] as const, cacheControl: true, contextWindow: undefined, maxOutput: undefined },
}

const words = fc.string({ minLength: 1, unit: 'grapheme' })
const text = words.map((said) => ({ type: 'text', text: said }))
const thought = fc.tuple(fc.string(), words).map(([thinking, signature]) => ({ type: 'thinking', thinking, signature }))
const hidden = words.map((data) => ({ type: 'redacted_thinking', data }))
const use = fc
  .tuple(fc.constantFrom('f', 'g'), fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), fc.jsonValue()))
  .map(([name, input]) => ({ type: 'tool_use', name, input: JSON.parse(JSON.stringify(input)) as object }))

/** What a turn of Claude is: thoughts, then a text, then calls. */
const turn = fc
  .tuple(fc.array(fc.oneof(thought, hidden), { maxLength: 3 }), fc.option(text), fc.array(use, { maxLength: 3 }))
  .map(([thoughts, said, calls]) => [
    ...thoughts,
    ...(said ? [said] : []),
    ...calls.map((call, at) => ({ ...call, id: `call_${at}` })),
  ])
  .filter((blocks) => blocks.some(({ type }) => type === 'text' || type === 'tool_use'))

/** Cuts a text at these places. */
function cut(whole: string, at: readonly number[]): string[] {
  const characters = [...whole]
  const places = [
    0,
    ...at.map((place) => place % (characters.length + 1)).sort((one, other) => one - other),
    characters.length,
  ]
  return places.slice(1).map((end, index) => characters.slice(places[index], end).join(''))
}

interface ChatMessage {
  readonly content: string | null
  readonly reasoning_details?: readonly Record<string, unknown>[]
  readonly tool_calls?: readonly {
    readonly id: string
    readonly function: { readonly name: string; readonly arguments: string }
  }[]
}

/** The pieces in which a chat may stream a message. */
function deltasOf(
  { content, reasoning_details: details = [], tool_calls: calls = [] }: ChatMessage,
  at: readonly number[],
): object[] {
  const pieces = calls.flatMap(({ id, function: { name, arguments: json } }, index) => [
    { index, id, type: 'function', function: { name, arguments: '' } },
    ...cut(json, at).map((args) => ({ index, function: { arguments: args } })),
  ])
  return [
    ...details.flatMap(({ text: said, signature, ...rest }) =>
      said === undefined
        ? [{ reasoning_details: [rest] }]
        : [
            ...cut(String(said), at).map((piece) => ({
              reasoning_content: piece,
              reasoning_details: [{ ...rest, text: piece }],
            })),
            { reasoning_details: [{ ...rest, signature }] },
          ],
    ),
    ...cut(content ?? '', at).map((piece) => ({ content: piece })),
    ...pieces.map((piece) => ({ tool_calls: [piece] })),
  ]
}

function begun() {
  const asked = asking('m', 'hi', { thinking: { type: 'adaptive' } })
  const translated = messages.over?.begin(parseBody(new TextEncoder().encode(JSON.stringify(asked))), context)
  if (!translated?.stage) throw new Error('messages are served over chats, streams too')
  return { ...translated, stage: translated.stage }
}

function streamed(deltas: readonly object[], finish: string): string {
  const stage = begun().stage()
  const frames = [...deltas.map((delta) => chunk(delta)), chunk({}, finish), usageChunk(usage), 'data: [DONE]\n\n']
  let said = ''
  for (const frame of frames)
    stage.chunk(new TextEncoder().encode(frame), (bytes) => (said += new TextDecoder().decode(bytes)))
  return said
}

const usage = { prompt_tokens: 9, completion_tokens: 2, total_tokens: 11, prompt_tokens_details: { cached_tokens: 4 } }

describe('A turn of the assistant', () => {
  it('is the same after it was a part of a chat, whole and in a stream', () => {
    fc.assert(
      fc.property(turn, fc.array(fc.nat(50), { maxLength: 4 }), (blocks, at) => {
        const history = [
          { role: 'user', content: 'hi' },
          { role: 'assistant', content: blocks },
        ]
        const { chat } = toChat(asking('m', '', { messages: history }), context)
        const [, message] = chat.messages as [object, ChatMessage]
        const finish = message.tool_calls ? 'tool_calls' : 'stop'
        const whole = begun().answer(chatSaying(message, finish, { usage }))
        expect(whole.content).toEqual(blocks)
        const {
          content,
          stop_reason,
          stop_sequence,
          usage: counted,
        } = wholeOf(readEvents(streamed(deltasOf(message, at), finish)))
        expect({ content, stop_reason, stop_sequence, usage: counted }).toEqual({
          content: blocks,
          stop_reason: whole.stop_reason,
          stop_sequence: null,
          usage: whole.usage,
        })
      }),
    )
  })
})
