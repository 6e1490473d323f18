import { InferenceClient } from '@huggingface/inference'
import OpenAI from 'openai'
import { describe, expect, it } from 'vitest'
import { errorOf, eventsOf } from '../support/ask.ts'
import { runtimes, serveBoth } from '../support/both.ts'
import { json, type Script, type Seen, text } from '../support/upstream.ts'

const { upstream, both } = serveBoth(
  'hf-images',
  (url) => ({
    providers: {
      hf: { type: 'huggingface', baseURL: `${url}/v1`, hubUrl: url, billTo: 'my-org' },
      proxy: {
        type: 'huggingface',
        baseURL: `${url}/v1`,
        hubUrl: url,
        apiKey: 'env:PROXY_KEY',
        headers: { 'x-team': 'us' },
      },
      toolkit: { type: 'huggingface', endpointUrl: `${url}/endpoint`, engine: 'toolkit' },
      spare: { type: 'openai-compatible', baseURL: `${url}/spare` },
    },
    models: {
      safe: { deployments: ['hf/org/gone'], fallbacks: ['spare/m'] },
      lenient: { deployments: ['hf/org/picture'], dropParams: ['quality'] },
    },
    retries: 0,
  }),
  { env: { HF_TOKEN: 'hf_of_the_test', PROXY_KEY: 'sk-of-the-proxy' } },
)

const png = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex')
const base64 = png.toString('base64')
const image: Script = (_, response) => response.writeHead(200, { 'content-type': 'image/png' }).end(png)
const prompt = 'a fox in the snow'

const entry = (provider: string, providerId: string, more = {}) => ({
  ...{ provider, providerId, hfModelId: 'org/picture', status: 'live', task: 'text-to-image', ...more },
})

/** What the Hub knows of each model. */
const models: Record<string, unknown> = {
  'org/picture': [
    entry('zai-org', 'z'),
    entry('nscale', 'org/picture'),
    entry('together', 'Org/Picture-Free'),
    entry('deepinfra', 'Org/Picture'),
    entry('fal-ai', 'fal-ai/picture'),
    entry('replicate', 'org/picture-fast'),
    entry('wavespeed', 'wavespeed-ai/picture'),
    entry('hf-inference', 'org/picture'),
  ],
  'org/versioned': { replicate: entry('replicate', 'org/versioned:abc123') },
  'org/lora': [entry('fal-ai', 'fal-ai/lora', { adapter: 'lora', adapterWeightsPath: 'w.safetensors' })],
  'org/chatty': [entry('together', 'x', { task: 'conversational' })],
  'org/foreign': [entry('zai-org', 'z')],
  'org/evil': [entry('together', '../../x'), entry('fal-ai', '../hf-inference/models/x')],
  // Looked up by one test only, as look-ups are kept.
  'org/fresh': [entry('together', 'x')],
  'org/nobody': undefined,
}

function serveHub({ path }: Seen): Script {
  const id = /^\/api\/models\/([^?]+)/.exec(path)?.[1] ?? ''
  return id in models
    ? json(200, { id, inferenceProviderMapping: models[id] })
    : json(404, { error: 'Repository not found' })
}

/** Answers requests to each provider as that does; the Hub's answers come by themselves. */
function answering(...scripts: Script[]): void {
  upstream.seen.length = 0
  let at = 0
  upstream.script((request, ...rest) => {
    if (request.path.startsWith('/api/models/')) return serveHub(request)(request, ...rest)
    return (scripts[Math.min(at++, scripts.length - 1)] as Script)(request, ...rest)
  })
}

const own = (path: string) => `${upstream.url}${path}`
const posts = () => upstream.seen.filter(({ method }) => method === 'POST')
const sent = () => posts().map(({ path, body }) => ({ path, body: JSON.parse(body) as Record<string, unknown> }))

/** How each provider answers, whatever it takes. */
const ways: Record<string, () => Script[]> = {
  'hf-inference': () => [image],
  nscale: () => [json(200, { data: [{ b64_json: base64 }] })],
  together: () => [json(200, { data: [{ b64_json: base64, index: 0 }] })],
  deepinfra: () => [json(200, { created: 1, data: [{ b64_json: base64 }] })],
  'fal-ai': () => [
    json(200, { status: 'IN_QUEUE', request_id: 'r', response_url: 'https://queue.fal.run/fal-ai/picture/requests/r' }),
    json(202, { status: 'IN_PROGRESS' }),
    json(200, { status: 'COMPLETED' }),
    json(200, { images: [{ url: own('/files/fox.png'), content_type: 'image/png' }], seed: 1 }),
    image,
  ],
  replicate: () => [json(201, { id: 'p1', status: 'succeeded', output: [own('/files/fox.png')] }), image],
  wavespeed: () => [
    json(200, { code: 200, data: { id: 'w', urls: { get: 'https://api.wavespeed.ai/api/v3/predictions/w/result' } } }),
    json(200, { data: { status: 'processing', outputs: [] } }),
    json(200, { data: { status: 'completed', outputs: [own('/files/fox.png')] } }),
    image,
  ],
}

describe.each(runtimes)('On %s, Hugging Face makes an image', (runtime) => {
  const ask = (body: unknown) => both.ask(runtime, body, '/images/generations')
  const client = () => new OpenAI({ baseURL: both.addresses[runtime], apiKey: both.key, maxRetries: 0 })

  it.each(Object.keys(ways))('by %s, asked as the official client asks it', async (provider) => {
    answering(...(ways[provider] as () => Script[])())
    const made = await client().images.generate({ model: `hf/org/picture:${provider}`, prompt })
    expect(made.data).toEqual([{ b64_json: base64 }])
    expect(made.output_format).toBe('png')
    const [asked] = sent()
    const official = await officialRequest(provider)
    expect(`https://router.huggingface.co${asked?.path}`).toBe(official.url)
    expect({ ...asked?.body, parameters: undefined }).toEqual(official.body)
    expect(posts()[0]?.headers).toMatchObject({ authorization: 'Bearer hf_of_the_test', 'x-hf-bill-to': 'my-org' })
    expect(posts()[0]?.headers.prefer).toBe(provider === 'replicate' ? 'wait' : undefined)
    for (const { path, headers } of upstream.seen)
      if (path.startsWith('/files/')) expect(headers.authorization).toBe(undefined)
  })

  it.each([
    ['hf-inference', { inputs: prompt, parameters: { width: 512, height: 256, seed: 7 } }],
    ['nscale', { size: '512x256', seed: 7 }],
    ['together', { width: 512, height: 256, seed: 7 }],
    ['fal-ai', { image_size: { width: 512, height: 256 }, seed: 7 }],
    ['replicate', { input: { prompt, width: 512, height: 256, seed: 7 } }],
    ['wavespeed', { size: '512*256', seed: 7 }],
  ])('of the size that is asked for, by %s', async (provider, body) => {
    answering(...(ways[provider] as () => Script[])())
    await ask({ model: `hf/org/picture:${provider}`, prompt, size: '512x256', seed: 7 })
    expect(sent()[0]?.body).toMatchObject(body)
  })

  it('by the first provider in the Hub’s order that it can ask, where the request names none', async () => {
    answering(json(200, { data: [{ b64_json: base64 }] }))
    await ask({ model: 'hf/org/picture', prompt })
    expect(sent()[0]?.path).toBe('/nscale/v1/images/generations')
  })

  it.each([
    ['hf', 'Bearer hf_of_the_test'],
    ['proxy', undefined],
  ])('and only a token of Hugging Face goes to the Hub, none of a proxy: %s', async (provider, authorization) => {
    answering(json(200, { data: [{ b64_json: base64 }] }))
    await ask({ model: `${provider}/org/fresh:together`, prompt })
    const looked = upstream.seen.find(({ path }) => path.startsWith('/api/models/'))
    expect([looked?.method, looked?.headers.authorization, looked?.headers['x-team']]).toEqual([
      'GET',
      authorization,
      undefined,
    ])
    expect(posts()[0]?.headers['x-team']).toBe(provider === 'proxy' ? 'us' : undefined)
  })

  it('as a URL that holds it, if the client asks for one', async () => {
    answering(image)
    const made = await client().images.generate({
      model: 'hf/org/picture:hf-inference',
      prompt,
      response_format: 'url',
    })
    expect(made.data?.[0]?.url).toBe(`data:image/png;base64,${base64}`)
    const fetched = await fetch(made.data?.[0]?.url ?? '')
    expect(Buffer.from(await fetched.arrayBuffer()).equals(png)).toBe(true)
  })

  it('several times, one request each and each with another seed', async () => {
    answering(image)
    const reply = await ask({ model: 'hf/org/picture:hf-inference', prompt, n: 3, seed: 5 })
    expect(JSON.parse(reply.text)).toMatchObject({ data: [1, 2, 3].map(() => ({ b64_json: base64 })) })
    const seeds = sent().map(({ body }) => (body.parameters as { seed: number }).seed)
    expect(seeds.sort()).toEqual([5, 6, 7])
  })

  it('as a stream that ends with it', async () => {
    answering(image)
    const stream = await client().images.generate({ model: 'hf/org/picture:hf-inference', prompt, stream: true })
    const events = []
    for await (const event of stream) events.push(event)
    expect(events).toMatchObject([{ type: 'image_generation.completed', b64_json: base64, output_format: 'png' }])
  })

  it('by a prediction that takes longer, of one version of a model', async () => {
    answering(
      json(201, { id: 'p1', status: 'processing', output: null }),
      json(200, { id: 'p1', status: 'succeeded', output: own('/files/fox.png') }),
      image,
    )
    const reply = await ask({ model: 'hf/org/versioned:replicate', prompt })
    expect(JSON.parse(reply.text)).toMatchObject({ data: [{ b64_json: base64 }] })
    expect(sent()[0]).toEqual({ path: '/replicate/v1/predictions', body: { version: 'abc123', input: { prompt } } })
    expect(upstream.seen.map(({ path }) => path)).toContain('/replicate/v1/predictions/p1')
  })

  it('as a stream of as many as were asked for', async () => {
    answering(image)
    const { text: said } = await ask({ model: 'hf/org/picture:hf-inference', prompt, n: 3, stream: true })
    expect(eventsOf(said).map(({ event }) => event)).toEqual(Array(3).fill('image_generation.completed'))
    expect(posts()).toHaveLength(3)
  })

  it('with weights of its own on a provider’s model', async () => {
    answering(...(ways['fal-ai'] as () => Script[])())
    await ask({ model: 'hf/org/lora', prompt })
    expect(sent()[0]?.body).toMatchObject({ loras: [{ path: own('/org/lora/resolve/main/w.safetensors'), scale: 1 }] })
  })

  it('by an Inference Endpoint for that', async () => {
    answering(image)
    const reply = await ask({ model: 'toolkit/m', prompt })
    expect(JSON.parse(reply.text), reply.text).toMatchObject({ data: [{ b64_json: base64 }] })
    expect(sent()[0]).toEqual({ path: '/endpoint', body: { inputs: prompt, parameters: {} } })
  })

  it.each([
    ['quality', { quality: 'high' }],
    ['style', { style: 'vivid' }],
    ['background', { background: 'transparent' }],
    ['output_format', { output_format: 'webp' }],
    ['partial_images', { partial_images: 2, stream: true }],
    ['response_format', { response_format: 'gif' }],
  ])('but what it can’t honour is a 400: %s', async (param, fields) => {
    answering(image)
    const reply = await ask({ model: 'hf/org/picture:hf-inference', prompt, ...fields })
    expect([reply.status, errorOf(reply)]).toMatchObject([400, { code: 'unsupported_parameter', param }])
    expect(posts()).toEqual([])
  })

  it('without a field that the configuration allows to leave out', async () => {
    answering(json(200, { data: [{ b64_json: base64 }] }))
    expect((await ask({ model: 'lenient', prompt, quality: 'high' })).status).toBe(200)
  })

  it.each(['1024', '0x', 'big', '1x1x1'])('a size of %s is a 400', async (size) => {
    answering(image)
    expect(errorOf(await ask({ model: 'hf/org/picture:hf-inference', prompt, size })).param).toBe('size')
  })

  it.each([
    ['a model that the Hub has not', 'hf/org/gone', 404, 'model_not_found'],
    ['a model that nobody serves', 'hf/org/nobody', 404, 'model_not_found'],
    ['a provider that serves another', 'hf/org/picture:scaleway', 404, 'model_not_found'],
    ['a provider that can’t be asked', 'hf/org/foreign', 404, 'model_not_found'],
    ['a model for something else', 'hf/org/chatty', 404, 'wrong_endpoint'],
    ['a name that leads elsewhere', 'hf/org/..%2f..', 404, 'model_not_found'],
    ['a provider’s name for it that leads elsewhere', 'hf/org/evil', 502, 'upstream_invalid_response'],
    ['another such', 'hf/org/evil:fal-ai', 502, 'upstream_invalid_response'],
  ])('%s is an honest error', async (_, model, status, code) => {
    answering(image)
    const reply = await ask({ model, prompt })
    expect([reply.status, errorOf(reply).code]).toEqual([status, code])
    expect(posts()).toEqual([])
  })

  it('or a fallback does, when the model is missing', async () => {
    answering(json(200, { created: 1, data: [{ b64_json: base64 }] }))
    const reply = await ask({ model: 'safe', prompt })
    expect([reply.status, reply.headers.get('x-samewire-model')]).toEqual([200, 'spare/m'])
  })

  it.each([
    ['no credit', json(402, { error: 'You have exceeded your monthly included credits' }), 429, 'insufficient_quota'],
    ['a limit', json(429, { error: 'Rate limit reached' }), 429, 'rate_limit_exceeded'],
    ['a bad token', json(401, { error: 'Invalid username or password.' }), 502, 'upstream_credentials_rejected'],
    [
      'a cold model',
      json(503, { error: 'Model org/picture is currently loading', estimated_time: 20 }),
      503,
      'temporarily_unavailable',
    ],
    ['no such provider', json(400, { error: 'Model not supported by provider hf-inference' }), 404, 'model_not_found'],
    ['a page', text(200, '<html>hi</html>', 'text/html'), 502, 'upstream_invalid_response'],
    ['an empty list', json(200, { data: [] }), 502, 'upstream_invalid_response'],
    [
      'a redirect',
      ((_, response) => response.writeHead(302, { location: 'https://example.com' }).end()) as Script,
      502,
      null,
    ],
  ])(
    '%s is an error of the right kind, asked once, and the prompt stays out of it',
    async (_, script, status, code) => {
      answering(script)
      const reply = await ask({ model: 'hf/org/picture:hf-inference', prompt })
      expect(reply.status).toBe(status)
      if (code) expect(errorOf(reply).code).toBe(code)
      expect(posts()).toHaveLength(1)
      expect(reply.text).not.toContain('fox')
    },
  )

  it.each([
    'http://127.0.0.1:1/x',
    'https://localhost/x',
    'https://169.254.169.254/latest',
    'file:///etc/passwd',
    'x',
    7,
  ])('no file is fetched from %s', async (url) => {
    answering(json(201, { id: 'p1', status: 'succeeded', output: [url] }), image)
    const reply = await ask({ model: 'hf/org/picture:replicate', prompt })
    expect([reply.status, errorOf(reply).code]).toEqual([502, 'upstream_invalid_response'])
    expect(upstream.seen.filter(({ path }) => !path.startsWith('/api/'))).toHaveLength(1)
  })

  it('what a provider refuses to show is said', async () => {
    answering(json(201, { id: 'p1', status: 'failed', error: 'NSFW content detected.' }))
    const reply = await ask({ model: 'hf/org/picture:replicate', prompt })
    expect([reply.status, errorOf(reply).code]).toEqual([400, 'content_policy_violation'])
  })
})

/** What the official client sends for the same. */
async function officialRequest(provider: string): Promise<{ url: string; body: unknown }> {
  let request: { url: string; body: unknown } | undefined
  const record: typeof fetch = async (input, init) => {
    const url = String(input)
    if (url.startsWith('https://huggingface.co/')) {
      return Response.json({ inferenceProviderMapping: models['org/picture'] })
    }
    request ??= { url, body: JSON.parse(String(init?.body)) }
    throw new Error('That is enough.')
  }
  const client = new InferenceClient('hf_of_the_test', { fetch: record, retry_on_error: false })
  const args = { provider: provider as 'together', model: 'org/picture', inputs: prompt }
  await client.textToImage(args).catch(() => {})
  if (!request) throw new Error(`The official client sends nothing to ${provider}.`)
  return request
}
