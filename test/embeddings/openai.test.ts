import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createNodeTransport } from '../../src/runtime/node-transport.ts'
import { ask, errorOf, noLists } from '../support/ask.ts'
import { embed, embeddingsOf } from '../support/embeddings.ts'
import { type RunningGateway, startGateway } from '../support/gateway.ts'
import { type FakeUpstream, fakeUpstream, json } from '../support/upstream.ts'

let upstream: FakeUpstream
let gateway: RunningGateway
const inner = createNodeTransport()

/** OpenAI's and Azure's own addresses, which lead to a server of the test. */
beforeAll(async () => {
  upstream = await fakeUpstream()
  gateway = await startGateway(
    {
      providers: {
        openai: { type: 'openai' },
        azure: {
          type: 'openai',
          baseURL: 'https://mine.openai.azure.com',
          apiVersion: '2024-10-21',
          apiKey: 'env:OPENAI_API_KEY',
        },
      },
      models: { ada: { deployments: [{ model: 'openai/text-embedding-ada-002', supports: { dimensions: true } }] } },
    },
    {
      env: { OPENAI_API_KEY: 'sk-of-the-test' },
      services: {
        ...noLists,
        transport: (request, signal) =>
          inner({ ...request, url: request.url.replace(/^https:\/\/[^/]+(\/v1)?/, upstream.url) }, signal),
      },
    },
  )
})
afterAll(async () => {
  await gateway.close()
  await inner.close()
  await upstream.close()
})

const put = (body: object) => ask(gateway, body, { path: '/embeddings' })
const sent = () => upstream.seen.map(({ path, body }) => [path, JSON.parse(body)])

describe('OpenAI’s own embeddings', () => {
  it.each([
    ['openai/text-embedding-3-small', '/embeddings'],
    ['azure/mine', '/openai/deployments/mine/embeddings?api-version=2024-10-21'],
  ])('pass byte for byte, and so do the requests for them: %s', async (model, path) => {
    upstream.seen.length = 0
    // Nothing of it is what other servers' answers are made to be.
    const text = `${JSON.stringify({ ...embeddingsOf([[1, 2]]), usage: null, object: 'vectors' }, null, 2)}\n`
    upstream.script(json(200, text))
    const body = embed(model, 'hi', { encoding_format: 'base64', dimensions: 1, future: [1] })
    const reply = await put(body)
    expect([reply.status, reply.text]).toEqual([200, text])
    expect(sent()).toEqual([[path, { ...body, model: model.split('/')[1] }]])
  })

  it('are never cut here, where nothing would be', async () => {
    upstream.seen.length = 0
    const message = 'This model does not support specifying dimensions.'
    upstream.script(json(400, { error: { message, type: 'invalid_request_error', param: null, code: null } }))
    const reply = await put(embed('ada', 'hi', { dimensions: 1 }))
    expect([reply.status, errorOf(reply)]).toMatchObject([400, { message, param: 'dimensions' }])
    expect(upstream.seen).toHaveLength(1)
  })

  it.each([
    ['no vectors', { object: 'list' }],
    ['too few of them', embeddingsOf([])],
  ])('are still seen to be there: %s', async (_, answer) => {
    upstream.script(json(200, answer))
    expect((await put(embed('openai/x'))).status).toBe(502)
  })
})
