import { connect } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import type { Config } from '../../src/config/schema.ts'
import { type RunningGateway, startGateway } from '../support/gateway.ts'
import { chatAnswer, type FakeUpstream, fakeUpstream, json } from '../support/upstream.ts'

/** What openai-python 0.27.10 wrote to a socket, byte for byte but for the port; recorded from the real library. */
function request(port: number, path: string, body: string): string {
  return [
    `POST ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    'User-Agent: OpenAI/v1 PythonBindings/0.27.10',
    'Accept-Encoding: gzip, deflate',
    'Accept: */*',
    'Connection: keep-alive',
    'X-OpenAI-Client-User-Agent: {"bindings_version": "0.27.10", "httplib": "requests", "lang": "python", ' +
      '"lang_version": "3.11.7", "platform": "Linux-6.18.44-x86_64-with-glibc2.36", "publisher": "openai", ' +
      '"uname": "Linux 6.18.44 #1 SMP PREEMPT_DYNAMIC @0 x86_64 "}',
    'Authorization: Bearer sk-test-key-of-2023',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n')
}

const completion = '{"prompt": "# say hi\\n", "max_tokens": 50, "n": 1, "temperature": 0.7, "stop": null}'
const chat =
  '{"model": "gpt-3.5-turbo", "messages": [{"role": "system", "content": "You are a helpful assistant."}, ' +
  '{"role": "user", "content": "hi"}]}'
const engine = '/v1/engines/davinci-codex/completions'

const text = {
  id: 'cmpl-fake',
  object: 'text_completion',
  created: 1_700_000_000,
  model: 'tiny-chat',
  choices: [{ text: 'print("hi")', index: 0, logprobs: null, finish_reason: 'stop' }],
  usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
}

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()))
})

describe('openai-python 0.27.10', () => {
  it('is told that davinci-codex does not exist, in exactly the words of 2023', async () => {
    const { gateway } = await start({ providers: {} })
    const answer = await exchange(gateway.port, engine, completion)
    expect(answer.head).toMatch(/^HTTP\/1\.1 404 Not Found\r\n/)
    expect(answer.head).toMatch(/\r\ncontent-type: application\/json\r\n/i)
    // The library reads it with float() and dies of anything else.
    expect(answer.head).toMatch(/\r\nopenai-processing-ms: \d+\r\n/i)
    expect(answer.body).toBe(
      '{"error":{"message":"The model: `davinci-codex` does not exist","type":"invalid_request_error","param":null,"code":"model_not_found"}}',
    )
  })

  it('is told the same when the upstream says so', async () => {
    const { gateway, upstream } = await start({ models: { 'davinci-codex': 'up/davinci-codex' } })
    upstream.script(json(404, { error: { message: 'The model `davinci-codex` has been deprecated' } }))
    const answer = await exchange(gateway.port, engine, completion)
    expect(answer.head).toMatch(/^HTTP\/1\.1 404 /)
    expect(answer.body).toContain('"message":"The model: `davinci-codex` does not exist"')
  })

  it('has its prompt completed by the fallback', async () => {
    const { gateway, upstream } = await start({ fallback: 'up/tiny-chat' })
    upstream.script(json(200, text))
    const answer = await exchange(gateway.port, engine, completion)
    expect(answer.head).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    expect(answer.head).toMatch(/\r\nx-samewire-model: up\/tiny-chat\r\n/i)
    expect(answer.head).toMatch(/\r\nx-samewire-reason: model_not_found\r\n/i)
    expect(JSON.parse(answer.body)).toEqual(text)
    expect(upstream.seen.at(-1)?.path).toBe('/v1/completions')
    expect(JSON.parse(upstream.seen.at(-1)?.body ?? '')).toEqual({ model: 'tiny-chat', ...JSON.parse(completion) })
  })

  it('chats with a model of 2023 that another one answers for', async () => {
    const { gateway, upstream } = await start({ models: { 'gpt-3.5-turbo': 'up/tiny-chat' } })
    upstream.script(json(200, chatAnswer('Hello!', 'tiny-chat')))
    const answer = await exchange(gateway.port, '/v1/chat/completions', chat)
    expect(answer.head).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    expect(JSON.parse(answer.body)).toEqual(chatAnswer('Hello!', 'tiny-chat'))
    expect(upstream.seen[0]?.body).toBe(chat.replace('gpt-3.5-turbo', 'tiny-chat'))
  })

  it.each(['/v1//engines/davinci-codex/completions', '/engines/davinci-codex/completions'])(
    'reaches the gateway on %s too, as its base URL ends',
    async (path) => {
      const { gateway, upstream } = await start({ models: { 'davinci-codex': 'up/tiny-chat' } })
      upstream.script(json(200, text))
      const answer = await exchange(gateway.port, path, completion)
      expect(answer.head).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
      expect(JSON.parse(answer.body)).toEqual(text)
    },
  )

  it('embeds by an engine, in the form that it asks for by itself', async () => {
    const { gateway, upstream } = await start({ models: { 'text-embedding-ada-002': 'up/tiny' } })
    upstream.script(json(200, { data: [{ embedding: [0.5, 2] }] }))
    const input = '{"input": ["hi"], "encoding_format": "base64"}'
    const answer = await exchange(gateway.port, '/v1/engines/text-embedding-ada-002/embeddings', input)
    expect(answer.head).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    // Read by the library with numpy: 32-bit floats, little-endian.
    expect(JSON.parse(answer.body).data[0].embedding).toBe('AAAAPwAAAEA=')
    expect(JSON.parse(upstream.seen.at(-1)?.body ?? '')).toEqual({ ...JSON.parse(input), model: 'tiny' })
    expect(upstream.seen.at(-1)?.path).toBe('/v1/embeddings')
  })

  it('is answered by the embedded model where nothing else is configured', async () => {
    const gateway = await startGateway({})
    open.push(gateway)
    const answer = await exchange(gateway.port, '/v1/chat/completions', chat)
    expect(answer.head).toMatch(/\r\nx-samewire-notice: answered by the embedded demonstration model\r\n/i)
    const completed = await exchange(gateway.port, engine, completion)
    expect(JSON.parse(completed.body)).toMatchObject({ object: 'text_completion', model: 'demo/tiny-chat' })
  })
})

async function start(config: Config): Promise<{ gateway: RunningGateway; upstream: FakeUpstream }> {
  const upstream = await fakeUpstream(json(404, ''))
  const gateway = await startGateway({
    providers: { up: { type: 'openai-compatible', baseURL: `${upstream.url}/v1` } },
    retries: 0,
    ...config,
  })
  open.push(gateway, upstream)
  return { gateway, upstream }
}

/** Sends the bytes and reads one answer, whose length its head tells. */
function exchange(port: number, path: string, body: string): Promise<{ head: string; body: string }> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(request(port, path, body)))
    let answer = Buffer.alloc(0)
    socket.on('data', (bytes) => {
      answer = Buffer.concat([answer, bytes])
      const end = answer.indexOf('\r\n\r\n')
      const head = answer.subarray(0, end + 2).toString('latin1')
      const length = /\r\ncontent-length: (\d+)\r\n/i.exec(head)?.[1]
      if (end < 0 || answer.length < end + 4 + Number(length ?? Number.POSITIVE_INFINITY)) return
      socket.destroy()
      resolve({ head, body: answer.subarray(end + 4).toString('utf8') })
    })
    socket.once('error', reject)
    socket.once('end', () => reject(new Error(`the answer ended early: ${answer.toString('utf8')}`)))
  })
}
