import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Config } from '../../src/config/schema.ts'
import { ask, chat, contentOf, errorOf, eventsOf, open, until } from '../support/ask.ts'
import { ManualClock, type RunningGateway, startGateway } from '../support/gateway.ts'
import { chatAnswer, type FakeUpstream, fakeUpstream, json, type Script } from '../support/upstream.ts'

const answer = {
  model: 'llama3',
  created_at: '2026-11-24T00:00:00Z',
  message: { role: 'assistant', content: 'hi' },
  done: true,
  done_reason: 'stop',
}

/** An Ollama without the model, whose pull does what the test says. */
let ollama: FakeUpstream
let gateway: RunningGateway
let clock: ManualClock
let pulled: boolean
let pull: Script
const pulls = () => ollama.seen.filter(({ path }) => path === '/api/pull')
/** Clients that have heard that the model is not there, and wait. */
const waiting = () => gateway.logged.filter((line) => line.includes('model_unavailable_upstream')).length

beforeEach(async () => {
  pulled = false
  ollama = await fakeUpstream((request, response, socket) => {
    if (request.path === '/api/pull') return pull(request, response, socket)
    if (!pulled) return json(404, { error: "model 'llama3' not found" })(request, response, socket)
    if (!request.body.includes('"stream":true')) return json(200, answer)(request, response, socket)
    return response.writeHead(200, { 'content-type': 'application/x-ndjson' }).end(`${JSON.stringify(answer)}\n`)
  })
  clock = new ManualClock()
  const config = {
    providers: { ollama: { type: 'ollama', baseURL: ollama.url } },
    missing: { not_pulled: 'pull' },
  } as const
  gateway = await startGateway(config, { clock })
})

afterEach(async () => {
  await gateway.close()
  await ollama.close()
})

const line = (value: object) => `${JSON.stringify(value)}\n`

/** A pull that goes on until the test ends it. */
function endlessPull(): { end: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>()
  pull = (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' })
    response.write(line({ status: 'pulling manifest' }))
    void promise.then(() => {
      pulled = true
      response.end(line({ status: 'success' }))
    })
  }
  return { end: resolve }
}

function leaving(body: object = chat('ollama/llama3')) {
  const client = new AbortController()
  const reply = open(gateway, body, { signal: client.signal })
  reply.catch(() => {})
  return { reply, leave: () => client.abort() }
}

describe('A model that is not pulled', () => {
  it('is pulled once for all who wait, and then answers', async () => {
    const { end } = endlessPull()
    const replies = Array.from({ length: 5 }, () => ask(gateway, chat('ollama/llama3')))
    await until(() => waiting() === 5 && pulls().length > 0)
    end()
    for (const reply of await Promise.all(replies)) expect(contentOf(reply.text)).toBe('hi')
    expect(pulls()).toHaveLength(1)
    expect(gateway.logged).toContain('ollama/llama3: pulling')
    expect(gateway.logged).toContain('ollama/llama3: pulled')
  })

  it('keeps a stream alive while it is pulled', async () => {
    const { end } = endlessPull()
    const reply = open(gateway, chat('ollama/llama3', { stream: true }))
    await until(() => pulls().length === 1)
    await clock.advance(25_000)
    const response = await reply
    expect(response.status).toBe(200)
    end()
    const text = await response.text()
    expect(text.startsWith(': keep-alive\n\n: keep-alive\n\n')).toBe(true)
    expect(eventsOf(text).at(-1)?.data).toBe('[DONE]')
  })

  it('goes on being pulled while one of those who wait is still there, and stops when the last leaves', async () => {
    endlessPull()
    const [first, second] = [leaving(), leaving(chat('ollama/llama3', { stream: true }))]
    await until(() => waiting() === 2 && pulls().length === 1)
    let stopped = false
    void pulls()[0]?.abandoned.then(() => {
      stopped = true
    })
    first.leave()
    await expect(first.reply).rejects.toThrow()
    for (let turn = 0; turn < 50; turn++) await new Promise((next) => setImmediate(next))
    expect(stopped).toBe(false)
    second.leave()
    await pulls()[0]?.abandoned
  })

  it('is pulled anew for who comes just after the last has left', async () => {
    endlessPull()
    const first = leaving()
    await until(() => pulls().length === 1)
    first.leave()
    await pulls()[0]?.abandoned
    const { end } = endlessPull()
    const reply = ask(gateway, chat('ollama/llama3'))
    await until(() => pulls().length === 2)
    end()
    expect(contentOf((await reply).text)).toBe('hi')
  })

  it.each<[string, Script]>([
    ['refuses', json(500, { error: 'pull model manifest: file does not exist' })],
    [
      'breaks off',
      (_request, response, socket) => {
        response.writeHead(200, { 'content-type': 'application/x-ndjson' }).write(line({ status: 'pulling' }))
        socket.resetAndDestroy()
      },
    ],
    [
      'tells of an error',
      (_request, response) => response.writeHead(200).end(line({ error: 'no space left on device' })),
    ],
  ])('is told as missing when its pull %s', async (_how, script) => {
    pull = script
    const reply = await ask(gateway, chat('ollama/llama3'))
    expect(reply.status).toBe(404)
    expect(errorOf(reply)).toMatchObject({ code: 'model_not_found', param: 'model' })
    expect(pulls()).toHaveLength(1)
  })
})

describe('A model whose name may not be pulled', () => {
  const ollamaProvider = () => ({ type: 'ollama', baseURL: ollama.url })
  const done: Script = (_request, response) => {
    pulled = true
    response.writeHead(200).end(line({ status: 'success' }))
  }
  type Policy = NonNullable<Config['missing']>['not_pulled']

  /** Another gateway in the place of the first, with a policy of its own. */
  async function restart(not_pulled: Policy, more: Config = {}) {
    await gateway.close()
    gateway = await startGateway(
      { providers: { ollama: ollamaProvider() }, missing: { not_pulled }, ...more },
      { clock },
    )
    pull = done
  }

  const pulledNames = () => pulls().map(({ body }) => (JSON.parse(body) as { name: string }).name)

  it.each(['llama3', 'llama3.2:3b-q4_0', 'some-one/model', 'some_one/model:latest'])(
    'is none of Ollama’s own library with plain `pull`, which takes %s',
    async (name) => {
      await restart('pull')
      expect(contentOf((await ask(gateway, chat(`ollama/${name}`))).text)).toBe('hi')
      expect(pulledNames()).toEqual([name])
    },
  )

  it.each([
    'evil.example/x/y',
    'evil.example/x',
    'evil.example:8080/x/y',
    'localhost:1/x',
    'http://evil.example/x/y',
    'host/x/y',
    'hf.co/org/model',
    '../x',
    'evil.example\\x\\y',
    'x\ny',
  ])('is told as missing with plain `pull`, and nobody is asked to fetch it: %s', async (name) => {
    await restart('pull')
    const reply = await ask(gateway, chat(`ollama/${name}`))
    expect(reply.status).toBe(404)
    expect(errorOf(reply)).toMatchObject({ type: 'invalid_request_error', code: 'model_not_found', param: 'model' })
    expect(pulls()).toEqual([])
    expect(gateway.logged.filter((entry) => entry.includes('not pulled, since'))).toHaveLength(1)
  })

  it('is told in the very words of a gateway that pulls nothing', async () => {
    await restart('error')
    const told = await ask(gateway, chat('ollama/evil.example/x/y'))
    await restart('pull')
    expect(errorOf(await ask(gateway, chat('ollama/evil.example/x/y')))).toEqual(errorOf(told))
  })

  it.each<[string, boolean]>([
    ['llama3', true],
    ['llama3.2:1b', true],
    ['hf.co/org/model:Q4_K_M', true],
    ['phi', false],
    ['xllama3', false],
    ['llama3.evil.example/x', false],
    ['llama3.evil.example/x/y', false],
    ['llama3.evil.example\\x\\y', false],
    ['hf.co/other/model', false],
    ['hf.co/org/model/more', false],
    ['hf.co.evil.example/org/model', false],
    ['evil.example/hf.co/org/model', false],
    ['hf.co:8080/org/model', false],
  ])('is with a list one that fits none of its entries: %s, pulled: %s', async (name, expected) => {
    await restart({ pull: ['llama3*', 'hf.co/org/*'] })
    const { status } = await ask(gateway, chat(`ollama/${name}`))
    expect([status, pulledNames()]).toEqual(expected ? [200, [name]] : [404, []])
  })

  it('is answered by the fallback, which says why', async () => {
    const other = await fakeUpstream(json(200, chatAnswer('instead', 'm')))
    const providers = { ollama: ollamaProvider(), lab: { type: 'openai-compatible', baseURL: other.url } }
    await restart({ pull: ['llama3*'] }, { providers, fallback: 'lab/m' })
    const reply = await ask(gateway, chat('ollama/evil.example/x/y'))
    await other.close()
    expect(contentOf(reply.text)).toBe('instead')
    expect(reply.headers.get('x-samewire-model')).toBe('lab/m')
    expect(reply.headers.get('x-samewire-reason')).toBe('model_unavailable_upstream')
    expect(pulls()).toEqual([])
  })
})
