import { describe, expect, it } from 'vitest'
import { chat } from '../support/ask.ts'
import { runtimes, serveBoth } from '../support/both.ts'
import { chatFrames } from '../support/upstream.ts'

const most = 2_000_000

const { upstream, both } = serveBoth('long-limits', (baseURL) => ({
  providers: { p: { type: 'openai-compatible', baseURL } },
  connectTimeout: most,
  timeout: most,
  streamTimeout: most,
  idleTimeout: most,
  keepAlive: most,
  writeTimeout: most,
}))

describe.each(runtimes)('The longest limits on %s', (runtime) => {
  it('let a slow stream come whole, without a comment', async () => {
    upstream.script(async (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      for (const frame of chatFrames('a', 'b')) {
        // Many turns of the event loop, and more than the millisecond after which an overflowed timer runs out.
        const begun = performance.now()
        while (performance.now() - begun < 5) await new Promise((turn) => setImmediate(turn))
        response.write(frame)
      }
      response.end()
    })
    const { status, text } = await both.ask(runtime, { ...chat('p/x'), stream: true })
    expect(status).toBe(200)
    expect(text).toContain('data: [DONE]')
    expect(text).not.toMatch(/error|^:/m)
  })
})
