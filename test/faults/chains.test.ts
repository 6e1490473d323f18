import { describe, expect, it } from 'vitest'
import { ask, chat, errorOf, hastyClock } from '../support/ask.ts'
import { serveNode } from '../support/gateway.ts'
import { json, reset, type Script } from '../support/upstream.ts'

const { upstream, gateway } = serveNode(
  (baseURL) => ({
    providers: { lab: { type: 'openai-compatible', baseURL } },
    models: { chain: { deployments: ['lab/a'], fallbacks: ['lab/b', 'lab/c'] } },
    retries: 0,
  }),
  { clock: hastyClock() },
)

const refusing = (status: number, message: string, headers: Record<string, string> = {}): Script =>
  json(status, { error: { message, type: 'x', param: null, code: null } }, headers)
const limited = refusing(429, 'Slow down', { 'retry-after': '7' })
const tooLong = refusing(400, "This model's maximum context length is 10 tokens.")

describe('When all of a chain fail, the client is told the failure that it can do most about', () => {
  it.each<[string, readonly [Script, Script, Script], number, string]>([
    ['a limit that says when it is over', [reset, reset, limited], 429, 'rate_limit_exceeded'],
    [
      'a failure that may pass',
      [refusing(401, 'no'), refusing(500, 'oops'), refusing(404, 'gone')],
      502,
      'upstream_error',
    ],
    [
      'a request that is too long',
      [refusing(404, 'model gone'), refusing(401, 'no'), tooLong],
      400,
      'context_length_exceeded',
    ],
    [
      'else the first',
      [refusing(401, 'no'), refusing(404, 'model gone'), refusing(401, 'no')],
      502,
      'upstream_credentials_rejected',
    ],
  ])('%s', async (_what, scripts, status, code) => {
    upstream.script(...scripts)
    const reply = await ask(gateway, chat('chain'))
    expect([reply.status, errorOf(reply).code]).toEqual([status, code])
    if (status === 429) expect(reply.headers.get('retry-after')).toBe('7')
  })

  it('and the header gives the same reason as the body', async () => {
    upstream.script((_seen, response, socket) => {
      response.writeHead(200, { 'content-length': '1000' })
      response.write('{"choices"', () => socket.destroy())
    })
    const reply = await ask(gateway, chat('lab/a'))
    expect(errorOf(reply).code).toBe('upstream_stream_truncated')
    expect(reply.headers.get('x-samewire-reason')).toBe('upstream_stream_truncated')
  })

  it('one that speaks no HTTP is told so in a sentence', async () => {
    for (const bytes of ['garbage\r\n\r\n', 'HTTP/1.1 000 Nothing\r\ncontent-length: 0\r\n\r\n']) {
      upstream.script((_seen, _response, socket) => socket.end(bytes))
      expect(errorOf(await ask(gateway, chat('lab/a'))).message).toBe('lab did not answer in valid HTTP.')
    }
  })
})
