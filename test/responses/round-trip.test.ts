import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { overChat } from '../../src/operations/responses/over-chat.ts'
import { toChat } from '../../src/operations/responses/request.ts'
import { parseBody } from '../../src/wire/body.ts'
import type { ReasoningFormat } from '../../src/wire/reasoning-details.ts'
import { type ChatMessage, chatTurns, cuts } from '../support/chat-turns.ts'
import { asking, chatSaying, type Item, lastOf, readEvents } from '../support/response-events.ts'
import { chunk } from '../support/upstream.ts'

const reads: readonly ReasoningFormat[] = ['anthropic-claude-v1', 'google-gemini-v1', 'openai-responses-v1']
const context = {
  ...{ random: () => 0, clock: { now: () => 0, after: () => () => {} }, model: 'm' },
  ...{ reads, cacheControl: false, contextWindow: undefined, maxOutput: undefined },
}
const tools = ['f', 'g'].map((name) => ({ type: 'function', name, parameters: { type: 'object' } }))
const asked = asking('m', 'hi', { tools, include: ['reasoning.encrypted_content'] })

function begun() {
  const translated = overChat.begin(parseBody(new TextEncoder().encode(JSON.stringify(asked))), context)
  if (!translated.stage) throw new Error('responses are served over chats, streams too')
  return { ...translated, stage: translated.stage }
}

function streamed(deltas: readonly object[], finish: string): string {
  const stage = begun().stage()
  const frames = [...deltas.map((delta) => chunk(delta)), chunk({}, finish), 'data: [DONE]\n\n']
  let said = ''
  for (const frame of frames)
    stage.chunk(new TextEncoder().encode(frame), (bytes) => (said += new TextDecoder().decode(bytes)))
  return said
}

/** What becomes of a turn that a client sends back. */
function backFrom(output: readonly Item[], formats = reads): unknown {
  const history = [{ role: 'user', content: 'hi' }, ...output]
  return (toChat({ ...asked, input: history }, formats).chat.messages as readonly object[])[1]
}

/** What came on a call is not told once more. */
function once({ reasoning_details: details = [], tool_calls: calls = [], ...message }: ChatMessage): object {
  const extended = new Set(calls.flatMap(({ id, extra_content: extra }) => (extra ? [id] : [])))
  const left = details.filter(({ id }) => !extended.has(String(id))).map((detail, index) => ({ ...detail, index }))
  return {
    ...message,
    ...(left.length > 0 && { reasoning_details: left }),
    ...(calls.length > 0 && { tool_calls: calls }),
  }
}

describe('A turn of the assistant in a chat', () => {
  it('is the same after it was a part of a response, with what its model needs back, whole and in a stream', () => {
    fc.assert(
      fc.property(chatTurns, cuts, ({ message, deltas }, at) => {
        const finish = message.tool_calls ? 'tool_calls' : 'stop'
        const whole = begun().answer(chatSaying(message, finish)).output as readonly Item[]
        expect(backFrom(whole)).toEqual(once(message))
        expect(backFrom(lastOf(readEvents(streamed(deltas(at), finish))).output)).toEqual(once(message))
      }),
    )
  })

  it('keeps its text for a model that can read nothing else of it', () => {
    fc.assert(
      fc.property(chatTurns, ({ message }) => {
        const whole = begun().answer(chatSaying(message)).output as readonly Item[]
        const bare = whole.map((item) => (item.type === 'reasoning' ? { ...item, content: [] } : item))
        const { reasoning_details: _, ...rest } = message
        expect(backFrom(bare, [])).toEqual(rest)
      }),
    )
  })

  it('is not cut in two by what its model needs back', () => {
    const detail = { type: 'reasoning.encrypted', data: 'sig', format: 'google-gemini-v1', index: 0 }
    const deltas = [{ content: 'Hel' }, { reasoning_details: [detail] }, { content: 'lo' }]
    const { output } = lastOf(readEvents(streamed(deltas, 'stop')))
    expect(output.map(({ type }) => type)).toEqual(['message', 'reasoning'])
    expect(backFrom(output)).toEqual({ role: 'assistant', content: 'Hello', reasoning_details: [detail] })
  })
})
