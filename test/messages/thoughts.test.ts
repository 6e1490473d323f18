import { describe, expect, it } from 'vitest'
import { forAnthropic } from '../../src/dialects/anthropic/direct.ts'
import { toChat } from '../../src/dialects/anthropic/request.ts'
import { sealedDetails } from '../../src/dialects/anthropic/thoughts.ts'
import { parseBody } from '../../src/wire/body.ts'
import type { ReasoningFormat } from '../../src/wire/reasoning-details.ts'
import { asking } from '../support/messages.ts'

const gemini = { type: 'reasoning.encrypted', format: 'google-gemini-v1', data: 'sig', id: 'a', index: 0 }
const own = { type: 'thinking', thinking: 'I am Claude.', signature: 'c2ln' }
const hidden = { type: 'redacted_thinking', data: 'opaque' }
const others = { type: 'thinking', thinking: 'I am not.', signature: sealedDetails([gemini]) }
const carrier = { type: 'redacted_thinking', data: sealedDetails([gemini]) }
const said = { type: 'text', text: 'Well.' }
const user = { role: 'user', content: 'hi' }

const turnOf = (content: readonly object[], reads: readonly ReasoningFormat[]) => {
  const messages = [user, { role: 'assistant', content }, user]
  const context = { reads, cacheControl: false, contextWindow: undefined, maxOutput: undefined }
  return (toChat(asking('m', '', { messages }), context).chat.messages as readonly object[])[1]
}

describe('A thought in the history of a request for a message', () => {
  it('goes with its signature to a model that reads it', () => {
    expect(turnOf([own, hidden, others, said], ['anthropic-claude-v1'])).toEqual({
      role: 'assistant',
      content: 'Well.',
      reasoning_content: 'I am Claude.\n\nI am not.',
      reasoning_details: [
        { type: 'reasoning.text', text: 'I am Claude.', signature: 'c2ln', format: 'anthropic-claude-v1', index: 0 },
        { type: 'reasoning.encrypted', data: 'opaque', format: 'anthropic-claude-v1', index: 1 },
      ],
    })
  })

  it('goes back to the model that made it, out of what the gateway has sealed', () => {
    expect(turnOf([others, hidden, said], ['google-gemini-v1'])).toEqual({
      role: 'assistant',
      content: 'Well.',
      reasoning_content: 'I am not.',
      reasoning_details: [gemini],
    })
  })

  it('that somebody has changed is left out', () => {
    const spoilt = { ...carrier, data: `${carrier.data.slice(0, 20)}%` }
    expect(turnOf([spoilt, said], ['google-gemini-v1'])).toEqual({ role: 'assistant', content: 'Well.' })
  })
})

describe('A request for a message that goes to a server of that API', () => {
  const bodyOf = (messages: readonly object[]) =>
    parseBody(new TextEncoder().encode(JSON.stringify(asking('m', '', { messages }), null, 1)))

  it("keeps its bytes, with Claude's own thoughts in it", () => {
    const body = bodyOf([user, { role: 'assistant', content: [own, hidden, said] }, user])
    expect(forAnthropic(body)).toBe(body)
  })

  it('loses what only the gateway can read', () => {
    const body = bodyOf([user, { role: 'assistant', content: [others, own, carrier, said] }, user])
    expect(forAnthropic(body).json.messages).toEqual([user, { role: 'assistant', content: [own, said] }, user])
  })

  it('loses a turn that holds nothing else', () => {
    expect(forAnthropic(bodyOf([user, { role: 'assistant', content: [carrier] }, user])).json.messages).toEqual([
      user,
      user,
    ])
  })
})
