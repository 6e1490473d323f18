import fc from 'fast-check'
import { expect, it } from 'vitest'
import { generateContent, streamGenerateContent } from '../../src/dialects/gemini/generate.ts'
import { toChat } from '../../src/dialects/gemini/request.ts'
import { parseBody } from '../../src/wire/body.ts'
import { chatSaying } from '../support/response-events.ts'
import { chunk } from '../support/upstream.ts'

type Part = Readonly<Record<string, unknown>>

const context = {
  ...{ random: () => 0, clock: { now: () => 0, after: () => () => {} }, model: 'm' },
  ...{ reads: ['google-gemini-v1'] as const, cacheControl: false, contextWindow: undefined, maxOutput: undefined },
}

const words = fc.string({ minLength: 1, unit: 'grapheme' })
const signature = words.filter((text) => text !== 'skip_thought_signature_validator')
const args = fc
  .dictionary(fc.stringMatching(/^[a-z]{1,5}$/), fc.jsonValue())
  .map((given) => JSON.parse(JSON.stringify(given)) as object)
const calls = fc.array(fc.record({ args, signature: fc.option(signature) }), { maxLength: 3 })

/** What a turn of Gemini is: a thought, a text, then calls with their signatures. */
const turn = fc
  .tuple(fc.option(words), fc.option(words), calls)
  .map(([thought, text, called]): Part[] => [
    ...(thought === null ? [] : [{ text: thought, thought: true }]),
    ...(text === null ? [] : [{ text }]),
    ...called.map((call, at) => ({
      functionCall: { id: `call_${at}`, name: 'f', args: call.args },
      ...(call.signature !== null && { thoughtSignature: call.signature }),
    })),
  ])
  .filter((parts) => parts.some(({ thought }) => thought === undefined))

const user = { role: 'user', parts: [{ text: 'hi' }] }
const asking = {
  contents: [user],
  generationConfig: { thinkingConfig: { includeThoughts: true } },
}

function messageFor(parts: readonly Part[]): Record<string, unknown> {
  const { chat } = toChat({ contents: [user, { role: 'model', parts }, user] }, context, false)
  return (chat.messages as Record<string, unknown>[])[1] as Record<string, unknown>
}

const bodyOf = (asked: object) => parseBody(new TextEncoder().encode(JSON.stringify(asked)))

it('A turn comes back from a chat with every part, whole or streamed', () => {
  fc.assert(
    fc.property(turn, (parts) => {
      const { role: _, ...message } = messageFor(parts)
      const whole = generateContent.over?.begin(bodyOf(asking), context).answer(chatSaying(message))
      expect(whole?.candidates).toEqual([{ content: { parts, role: 'model' }, finishReason: 'STOP', index: 0 }])
      const stage = streamGenerateContent.over?.begin(bodyOf(asking), context).stage?.()
      let text = ''
      const emit = (bytes: Uint8Array) => {
        text += new TextDecoder().decode(bytes)
      }
      const { tool_calls: given = [], ...said } = message
      const pieces = (given as object[]).map((call, index) => ({ tool_calls: [{ index, ...call }] }))
      for (const delta of [said, ...pieces]) stage?.chunk(new TextEncoder().encode(chunk(delta)), emit)
      stage?.chunk(new TextEncoder().encode(`${chunk({}, 'stop')}data: [DONE]\n\n`), emit)
      stage?.end?.(emit)
      const events = text.split('\n\n').filter((event) => event !== '')
      const streamed = events.map(
        (event) => JSON.parse(event.slice(6)) as { candidates: { content: { parts: Part[] } }[] },
      )
      expect(streamed.flatMap(({ candidates }) => candidates[0]?.content.parts)).toEqual(parts)
    }),
  )
})
