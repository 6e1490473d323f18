import { describe, expect, it } from 'vitest'
import { runtimes, serveBoth } from '../support/both.ts'
import { afterSilence, quick } from '../support/silence.ts'
import { chatFrames } from '../support/upstream.ts'

const served = serveBoth('gemini-silence', quick)
const body = { contents: [{ role: 'user', parts: [{ text: 'hi' }] }] }
const asked = (query: string) => ({ path: `/v1beta/models/m:streamGenerateContent${query}`, body })
/** The events that Google's own clients see, of which none takes a comment. */
const read = (text: string) => text.split('\n\n').flatMap((event) => (event === '' ? [] : [event.slice(0, 7)]))

describe.each(runtimes)('On %s, a silence in Gemini’s API', (runtime) => {
  it('is broken by empty events, since its clients fail at comments', async () => {
    const [one = '', ...more] = chatFrames('Hel', 'lo')
    const frames = [one, ': OPENROUTER PROCESSING\n\n', ...more].join('')
    const { first, text } = await afterSilence(served, runtime, asked('?alt=sse'), frames)
    expect(first).toMatch(/^(\n\n)+$/)
    expect(new Set(read(text))).toEqual(new Set(['data: {']))
    expect(text).toContain('"lo"')
  })

  it('is broken by blanks in a list, which are nothing in JSON', async () => {
    const { first, text } = await afterSilence(served, runtime, asked(''), chatFrames('Hel', 'lo').join(''))
    expect(first).toMatch(/^ +$/)
    expect(JSON.parse(text)).toHaveLength(3)
  })

  it('that ends in a failure ends with what tells it', async () => {
    const { first, text } = await afterSilence(served, runtime, asked('?alt=sse'), '')
    expect(first).toMatch(/^(\n\n)+$/)
    expect(text).toContain('"error":{')
  })
})
