import { describe, expect, it } from 'vitest'
import { runtimes, serveBoth } from '../support/both.ts'
import { hostOf, linesOf } from '../support/ollama.ts'
import { chatFrames } from '../support/upstream.ts'

const { upstream, both } = serveBoth('ollama-silence', (url) => ({
  providers: { up: { type: 'openai-compatible', baseURL: url } },
  models: { m: { deployments: ['up/m'], retries: 0 } },
  keepAlive: 0.1,
}))

describe.each(runtimes)('On %s, a silence in Ollama’s API', (runtime) => {
  /** The text of a stream whose upstream says something only when the client has got a sign of life. */
  async function afterSilence(answer: string): Promise<{ readonly first: string; readonly text: string }> {
    const { promise: heard, resolve } = Promise.withResolvers<void>()
    upstream.script(async (_request, response, socket) => {
      await heard
      if (answer === '') return socket.resetAndDestroy()
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end(answer)
    })
    const response = await fetch(`${hostOf(both, runtime)}/api/chat`, {
      method: 'POST',
      headers: { authorization: `Bearer ${both.key}` },
      body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'hi' }] }),
    })
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/x-ndjson'])
    const decoder = new TextDecoder()
    let text = ''
    let first: string | undefined
    for await (const bytes of response.body ?? []) {
      text += decoder.decode(bytes, { stream: true })
      first ??= text
      resolve()
    }
    return { first: first ?? '', text }
  }

  it('is broken by blanks, which are nothing in JSON', async () => {
    const { first, text } = await afterSilence(chatFrames('Hel', 'lo').join(''))
    expect(first).toMatch(/^ +$/)
    expect(linesOf(text).map(({ message }) => message?.content)).toEqual(['Hel', 'lo', ''])
  })

  it('that ends in a failure ends with a line that tells it', async () => {
    const { first, text } = await afterSilence('')
    expect(first).toMatch(/^ +$/)
    expect(linesOf(text)).toEqual([{ error: expect.any(String) }])
  })
})
