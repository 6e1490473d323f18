import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Both, runtimes, startBoth } from '../support/both.ts'
import { askOllama, hostOf, linesOf } from '../support/ollama.ts'
import { chatAnswer, type FakeUpstream, fakeUpstream, json, type Script } from '../support/upstream.ts'

const listed = [
  {
    id: 'sees',
    created: 1_700_000_000,
    context_length: 131_072,
    architecture: { input_modalities: ['text', 'image'], output_modalities: ['text'] },
    supported_parameters: ['tools', 'reasoning'],
  },
  { id: 'plain' },
  { id: 'mute', capabilities: { function_calling: false } },
  { id: 'text-embedding-3-small' },
  { id: 'tagged:7b' },
  { id: 'meta-llama/Llama-3.1-8B-Instruct-Q4_K_M.gguf' },
  { id: 'qwen3-vl:30b-a3b', compatibility_type: 'mlx', arch: 'qwen3vl', quantization: '4bit' },
  { id: 'tiny', meta: { n_params: 1115264, ftype: 'F16', n_ctx: 2048 } },
]

const here = {
  ...{ parent_model: '', format: 'gguf', family: 'gemma3', families: ['gemma3'] },
  ...{ parameter_size: '4.3B', quantization_level: 'Q4_K_M' },
}

let pull: Script = json(500, {})
const hosted: Script = (request, response, socket) =>
  request.path === '/models'
    ? json(200, { data: listed })(request, response, socket)
    : json(200, chatAnswer('hi'))(request, response, socket)
const local: Script = (request, response, socket) => {
  if (request.path === '/api/tags')
    return json(200, { models: [{ name: 'here:latest', model: 'here:latest', details: here }] })(
      request,
      response,
      socket,
    )
  if (request.path === '/api/pull') return pull(request, response, socket)
  return json(200, { capabilities: ['completion', 'tools'], model_info: {} })(request, response, socket)
}

describe.each([
  ['may not pull', {}],
  ['may pull', { missing: { not_pulled: 'pull' as const } }],
])('Of a gateway that %s', (allowed, policy) => {
  let up: FakeUpstream
  let ollama: FakeUpstream
  let both: Both
  beforeAll(async () => {
    up = await fakeUpstream(hosted)
    ollama = await fakeUpstream(local)
    const config = {
      providers: {
        up: { type: 'openai-compatible', baseURL: up.url },
        local: { type: 'ollama', baseURL: ollama.url },
      },
      models: { smart: 'up/sees', 'own:latest': 'up/plain' },
      ...policy,
    }
    both = await startBoth(`ollama-library-${allowed.replaceAll(' ', '-')}`, config, {}, { lists: true })
  })
  afterAll(async () => {
    await both.close()
    await up.close()
    await ollama.close()
  })

  describe.each(runtimes)('on %s,', (runtime) => {
    const get = async (path: string) => JSON.parse((await askOllama(both, runtime, path)).text) as never
    const show = async (model: string) =>
      JSON.parse((await askOllama(both, runtime, '/api/show', { model })).text) as Record<string, never>

    it('the tags are the models, each with a tag and a digest', async () => {
      const { models } = (await get('/api/tags')) as { models: Record<string, unknown>[] }
      expect(models.map(({ name }) => name)).toEqual(
        expect.arrayContaining(['smart:latest', 'own:latest', 'up/sees:latest', 'up/tagged:7b', 'local/here:latest']),
      )
      expect(models.find(({ name }) => name === 'up/sees:latest')).toEqual({
        ...{ name: 'up/sees:latest', model: 'up/sees:latest', size: 0, digest: expect.stringMatching(/^[\da-f]{64}$/) },
        ...{ modified_at: '2023-11-14T22:13:20.000Z', capabilities: ['completion', 'tools', 'vision', 'thinking'] },
        details: {
          ...{ parent_model: '', format: '', family: 'up', families: ['up'] },
          ...{ parameter_size: '', quantization_level: '', context_length: 131_072 },
        },
      })
    })

    it('each name of the tags answers, is shown, and is a name in OpenAI’s API too', async () => {
      const { models } = (await get('/api/tags')) as { models: { name: string }[] }
      const messages = [{ role: 'user', content: 'hi' }]
      for (const name of models.map((model) => model.name).filter((one) => !one.startsWith('local/'))) {
        const body = { model: name, messages, stream: false }
        expect((await askOllama(both, runtime, '/api/chat', body)).status, name).toBe(200)
        const reply = await both.ask(runtime, body)
        expect([reply.status, reply.headers.get('x-samewire-reason')], name).toEqual([200, null])
        expect(JSON.parse(up.seen.at(-1)?.body ?? '')).not.toMatchObject({ model: expect.stringContaining('latest') })
        expect(await show(name), name).toHaveProperty('model_info')
      }
    })

    it.each([
      ['smart', 'completion tools vision thinking'],
      ['own', 'completion tools'],
      ['up/plain', 'completion tools'],
      ['up/mute:latest', 'completion'],
      ['up/text-embedding-3-small', 'embedding'],
      ['local/here', 'completion tools'],
    ])('what %s can do is what pickers of models look for: %s', async (model, capabilities) => {
      expect((await show(model)).capabilities).toEqual(capabilities.split(' '))
    })

    it.each([
      ['local/here', 'gguf gemma3 4.3B Q4_K_M'],
      ['up/tagged:7b', ' up 7B '],
      ['up/meta-llama/Llama-3.1-8B-Instruct-Q4_K_M.gguf', 'gguf up 8B Q4_K_M'],
      ['up/qwen3-vl:30b-a3b', 'mlx qwen3vl 30B 4bit'],
      ['up/tiny', 'gguf up 1.12M F16'],
      ['up/text-embedding-3-small', ' up  '],
    ])('of the weights of %s all is told that is known: %s', async (model, told) => {
      const { details, model_info: info } = (await show(model)) as unknown as Record<string, Record<string, unknown>>
      const { format, family, families, parameter_size: size, quantization_level: level } = details ?? {}
      expect([[format, family, size, level].join(' '), families]).toEqual([told, [family]])
      expect(info).toMatchObject({ 'general.architecture': family })
    })

    it('the length of the context stands under the name of the architecture', async () => {
      const { model_info: info, details } = (await show('smart')) as unknown as Record<string, Record<string, unknown>>
      const family = String(info?.['general.architecture'])
      expect(info).toEqual({
        ...{ 'general.architecture': family, 'general.basename': 'smart', [`${family}.context_length`]: 131_072 },
      })
      expect(details).toMatchObject({ family })
    })

    it('what is not there is shown to be missing', async () => {
      expect(await show('up/nope')).toEqual({ error: "model 'up/nope' not found" })
    })

    it('all models are running, and the version is one that clients accept', async () => {
      const { models } = (await get('/api/ps')) as { models: Record<string, unknown>[] }
      const entry = { name: 'smart:latest', size_vram: 0, context_length: 131_072, expires_at: expect.any(String) }
      expect(models.find(({ name }) => name === 'smart:latest')).toMatchObject(entry)
      const { version } = (await get('/api/version')) as { version: string }
      const [major = 0, minor = 0] = version.split('.').map(Number)
      expect(major * 100 + minor).toBeGreaterThan(6)
      const heartbeat = await fetch(hostOf(both, runtime), { method: 'HEAD' })
      expect(heartbeat.status).toBe(200)
    })

    const steps = [
      { status: 'pulling manifest' },
      { status: 'pulling 6a0746a1ec1a', digest: 'sha256:6a07', total: 10, completed: 5 },
      { status: 'success' },
    ]
    const pullOf = (model: string, more: object = {}) => askOllama(both, runtime, '/api/pull', { model, ...more })
    const pullsSeen = () => ollama.seen.filter(({ path }) => path === '/api/pull').length

    it('a pull of a model that is there has nothing to do', async () => {
      const before = pullsSeen()
      expect(linesOf((await pullOf('smart')).text)).toEqual([{ status: 'success' }])
      expect(pullsSeen()).toBe(before)
    })

    if (allowed === 'may not pull') {
      it('a pull is refused', async () => {
        const before = pullsSeen()
        for (const model of ['new', 'local/new:7b']) {
          const reply = await pullOf(model)
          expect([reply.status, JSON.parse(reply.text)]).toEqual([
            403,
            { error: expect.stringContaining('not_pulled') },
          ])
        }
        expect(pullsSeen()).toBe(before)
      })
      return
    }

    it('a pull goes to the Ollama, and tells each step', async () => {
      pull = (_request, response) => {
        response.writeHead(200, { 'content-type': 'application/x-ndjson' })
        response.end(steps.map((step) => `${JSON.stringify(step)}\n`).join(''))
      }
      const reply = await pullOf('local/new')
      expect([reply.status, reply.type]).toEqual([200, 'application/x-ndjson'])
      expect(linesOf(reply.text)).toEqual(steps)
      expect(JSON.parse((await pullOf('new', { stream: false })).text)).toEqual({ status: 'success' })
      expect(ollama.seen.filter(({ path }) => path === '/api/pull').at(-1)?.body).toContain('"new"')
    })

    it('a pull that fails says why, before and after its first step', async () => {
      pull = json(500, { error: 'pull model manifest: file does not exist' })
      const refused = await pullOf('local/none')
      expect([refused.status, JSON.parse(refused.text)]).toEqual([
        404,
        { error: expect.stringContaining('file does not exist') },
      ])
      pull = (_request, response) => {
        response.writeHead(200, { 'content-type': 'application/x-ndjson' })
        response.end(`${JSON.stringify(steps[0])}\n{"error":"disk full"}\n`)
      }
      expect(linesOf((await pullOf('local/big')).text)).toEqual([
        steps[0],
        { error: expect.stringContaining('disk full') },
      ])
    })

    it('a pull from another host is refused', async () => {
      expect((await pullOf('evil.example/x/y')).status).toBe(403)
    })
  })
})
