import { describe, expect, it } from 'vitest'
import { runtimes, serveBoth } from '../support/both.ts'

const { both } = serveBoth('elsewhere', () => ({ providers: { demo: { type: 'embedded' } } }))

describe.each(runtimes)('On %s, a client that asks for what is not there', (runtime) => {
  async function ask(method: string, path: string, headers: Record<string, string> = {}) {
    const base = both.addresses[runtime].replace(/\/v1$/, '')
    const authorization = `Bearer ${both.key}`
    const response = await fetch(`${base}${path}`, { method, headers: { ...headers, authorization } })
    return { status: response.status, headers: response.headers, body: await response.json() }
  }

  it.each([
    ['POST', '/v1/messages/batches', 404, 'not_found_error'],
    ['GET', '/v1/messages', 405, 'invalid_request_error'],
  ])("reads it in Anthropic's form: %s %s", async (method, path, status, type) => {
    const reply = await ask(method, path)
    const error = { type, message: expect.stringContaining(path) }
    expect([reply.status, reply.body]).toEqual([status, { type: 'error', error, request_id: expect.any(String) }])
    expect(reply.headers.get('request-id')).toBe(Reflect.get(reply.body as object, 'request_id'))
  })

  it.each([
    ['GET', '/v1beta/cachedContents', {}],
    ['POST', '/v1beta/files', {}],
    ['POST', '/v1beta/models/demo/tiny-chat:predict', {}],
    ['POST', '/v1beta/models/demo/tiny-chat:batchGenerateContent', {}],
    ['POST', '/v1beta/demo/tiny-chat:predict', {}],
    ['POST', '/v1/models/demo/tiny-chat:predict', { 'x-goog-api-key': 'x' }],
  ])("reads it in Google's form: %s %s", async (method, path, headers) => {
    const { status, body } = await ask(method, path, headers)
    const error = { code: 404, message: expect.stringContaining(`${method} ${path}`), status: 'NOT_FOUND' }
    expect([status, body]).toEqual([404, { error }])
  })

  it.each([
    ['GET', '/api/me', 404, null],
    ['GET', '/api/chat', 405, 'POST, OPTIONS'],
  ])("reads it in Ollama's form: %s %s", async (method, path, status, allow) => {
    const reply = await ask(method, path)
    expect([reply.status, reply.body]).toEqual([status, { error: expect.stringContaining(path) }])
    expect(reply.headers.get('allow')).toBe(allow)
  })

  it("reads it in OpenAI's form where it is nobody's, or its own", async () => {
    const code = 'unknown_url'
    for (const path of ['/v1/batches', '/v1/chat/nothing', '/nothing']) {
      expect(await ask('POST', path)).toMatchObject({ status: 404, body: { error: { code, param: null } } })
    }
  })

  it("reads it in the form of its own API where the path is several APIs'", async () => {
    const version = { 'anthropic-version': '2023-06-01' }
    expect((await ask('POST', '/v1/files', version)).body).toMatchObject({ type: 'error' })
    expect((await ask('POST', '/v1/models', version)).body).toMatchObject({ type: 'error' })
    expect((await ask('POST', '/v1/models')).body).toMatchObject({ error: { code: 'method_not_supported' } })
  })
})
