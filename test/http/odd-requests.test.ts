import { describe, expect, it } from 'vitest'
import { ask, chat, errorOf, expectEnvelope, noLists, raw } from '../support/ask.ts'
import { serveNode, startGateway } from '../support/gateway.ts'
import { chatAnswer, fakeUpstream, json } from '../support/upstream.ts'

const { gateway } = serveNode((url) => ({ providers: { lab: { type: 'openai-compatible', baseURL: `${url}/v1` } } }), {
  script: json(200, chatAnswer('hello')),
})

describe('What Node would answer by itself', () => {
  it.each([
    ['a host that is none', 'GET /v1/models HTTP/1.1\r\nHost: a b c\r\n\r\n', 400],
    ['an address that is none', 'GET * HTTP/1.1\r\nHost: x\r\n\r\n', 400],
    ['no HTTP', 'hello\r\n\r\n', 400],
    ['an expectation that nobody knows', 'POST /v1/completions HTTP/1.1\r\nHost: x\r\nExpect: magic\r\n\r\n', 417],
    ['a request for a tunnel', 'CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n', 405],
    ['endless headers', `GET /health HTTP/1.1\r\nHost: x\r\nx: ${'y'.repeat(70_000)}\r\n\r\n`, 431],
  ])('comes in the envelope with the usual headers: %s', async (_, bytes, status) => {
    const text = await raw(gateway.port, bytes)
    const [head = '', body = ''] = text.split('\r\n\r\n')
    expect(head).toContain(`HTTP/1.1 ${status} `)
    expect(head.toLowerCase()).toMatch(/x-request-id: req_[0-9a-f]{32}/)
    expect(head.toLowerCase()).toContain('content-type: application/json')
    expectEnvelope(JSON.parse(body))
    expect((await ask(gateway, chat('lab/m'))).status).toBe(200)
  })

  it('is no matter without a host: HTTP/1.0 had none', async () => {
    expect(await raw(gateway.port, 'GET /health HTTP/1.0\r\n\r\n')).toContain('{"status":"ok"}')
  })
})

describe('A gateway that is its own provider', () => {
  it('ends the circle with an error after a few rounds, retries and all', async () => {
    let back = ''
    const relay = await fakeUpstream(async ({ headers, body }, response) => {
      const hops = headers['x-samewire-hops'] ?? ''
      const init = { method: 'POST', headers: { 'content-type': 'application/json', 'x-samewire-hops': hops }, body }
      const again = await fetch(`${back}/chat/completions`, init)
      response.writeHead(again.status, { 'content-type': 'application/json' }).end(await again.text())
    })
    const lab = { type: 'openai-compatible', baseURL: `${relay.url}/v1` }
    const circle = await startGateway({ providers: { lab }, models: { m: 'lab/m' } }, { services: noLists })
    back = circle.baseURL
    const reply = await ask(circle, chat('m'))
    expect(relay.seen.length).toBe(5)
    expect(reply.status).toBe(508)
    expect(reply.headers.get('x-should-retry')).toBe('false')
    expect(errorOf(reply)).toMatchObject({ code: 'gateway_loop', type: 'server_error' })
    await circle.close()
    await relay.close()
  })
})
