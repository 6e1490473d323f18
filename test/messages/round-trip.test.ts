import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { messages } from '../../src/dialects/anthropic/messages.ts'
import { toChat } from '../../src/dialects/anthropic/request.ts'
import { parseBody } from '../../src/wire/body.ts'
import type { ReasoningFormat } from '../../src/wire/reasoning-details.ts'
import { type ChatMessage, chatTurns, cuts, deltasOf, uses, words } from '../support/chat-turns.ts'
import { asking, readEvents, wholeOf } from '../support/messages.ts'
import { chatSaying, usageChunk } from '../support/response-events.ts'
import { chunk } from '../support/upstream.ts'

const reads: readonly ReasoningFormat[] = ['anthropic-claude-v1', 'google-gemini-v1', 'openai-responses-v1']
const context = {
  ...{ random: () => 0, clock: { now: () => 0, after: () => () => {} }, model: 'm' },
  ...{ reads, cacheControl: true, contextWindow: undefined, maxOutput: undefined },
}

const text = words.map((said) => ({ type: 'text', text: said }))
const thought = fc.tuple(fc.string(), words).map(([thinking, signature]) => ({ type: 'thinking', thinking, signature }))
const hidden = words.map((data) => ({ type: 'redacted_thinking', data }))
/** What a turn of Claude is: thoughts, then a text, then calls. */
const turn = fc
  .tuple(fc.array(fc.oneof(thought, hidden), { maxLength: 3 }), fc.option(text), uses)
  .map(([thoughts, said, calls]) => [
    ...thoughts,
    ...(said ? [said] : []),
    ...calls.map((call) => ({ type: 'tool_use', ...call })),
  ])
  .filter((blocks) => blocks.some(({ type }) => type === 'text' || type === 'tool_use'))

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
      fc.property(turn, cuts, (blocks, at) => {
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

describe('A turn of the assistant in a chat', () => {
  /** What becomes of an answer that a client sends back. */
  function backFrom(content: readonly object[]): unknown {
    const history = [
      { role: 'user', content: 'hi' },
      { role: 'assistant', content },
    ]
    return (toChat(asking('m', '', { messages: history }), context).chat.messages as readonly object[])[1]
  }

  it('is the same after it was a message, with what its model needs back, whole and in a stream', () => {
    fc.assert(
      fc.property(chatTurns, cuts, ({ message, deltas }, at) => {
        const finish = message.tool_calls ? 'tool_calls' : 'stop'
        const whole = begun().answer(chatSaying(message, finish, { usage }))
        expect(backFrom(whole.content as readonly object[])).toEqual(message)
        expect(backFrom(wholeOf(readEvents(streamed(deltas(at), finish))).content)).toEqual(message)
      }),
    )
  })
})
