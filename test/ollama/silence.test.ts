import { describe, expect, it } from 'vitest'
import { runtimes, serveBoth } from '../support/both.ts'
import { linesOf } from '../support/ollama.ts'
import { afterSilence, quick } from '../support/silence.ts'
import { chatFrames } from '../support/upstream.ts'

const served = serveBoth('ollama-silence', quick)
const asked = { path: '/api/chat', body: { model: 'm', messages: [{ role: 'user', content: 'hi' }] } }

describe.each(runtimes)('On %s, a silence in Ollama’s API', (runtime) => {
  it('is broken by blanks, which are nothing in JSON', async () => {
    const { type, first, text } = await afterSilence(served, runtime, asked, chatFrames('Hel', 'lo').join(''))
    expect([type, first]).toEqual(['application/x-ndjson', expect.stringMatching(/^ +$/)])
    expect(linesOf(text).map(({ message }) => message?.content)).toEqual(['Hel', 'lo', ''])
  })

  it('that ends in a failure ends with a line that tells it', async () => {
    const { first, text } = await afterSilence(served, runtime, asked, '')
    expect(first).toMatch(/^ +$/)
    expect(linesOf(text)).toEqual([{ error: expect.any(String) }])
  })
})
