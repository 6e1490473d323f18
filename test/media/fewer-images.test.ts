import OpenAI, { toFile } from 'openai'
import { afterEach, describe, expect, it } from 'vitest'
import { chat, errorOf, eventsOf } from '../support/ask.ts'
import { type Runtime, runtimes, serveBoth } from '../support/both.ts'
import { chatAnswer, json, type Script, stream } from '../support/upstream.ts'

const { upstream, both } = serveBoth('fewer-images', (url) => ({
  providers: {
    lab: { type: 'openai-compatible', baseURL: `${url}/v1` },
    ollama: { type: 'ollama', baseURL: url },
  },
}))

const client = (runtime: Runtime) => new OpenAI({ baseURL: both.addresses[runtime], apiKey: both.key, maxRetries: 0 })
const usage = { total_tokens: 9, input_tokens: 4, output_tokens: 5 }
/** Answers with these images, by what `b64_json` says. */
const made = (...names: string[]): Script =>
  json(200, { created: 1, data: names.map((name) => ({ b64_json: name })), usage })
const event = (name: string) =>
  `event: image_generation.completed\ndata: {"type":"image_generation.completed","b64_json":"${name}"}\n\n`

afterEach(() => {
  upstream.seen.length = 0
})

/** Servers that make one image whatever `n` says: what lacks is plain to see, and what came is paid for. */
describe.each(runtimes)('Three images asked of a server that makes fewer, on %s,', (runtime) => {
  const asked = { prompt: 'a fox', n: 3 }

  it('are three: the others are asked for, and paid for together', async () => {
    upstream.script(made('a'), made('b'), made('c'))
    const model = 'lab/one'
    const answer = await client(runtime).images.generate({ ...asked, model })
    expect(answer.data?.map(({ b64_json: image }) => image).toSorted()).toEqual(['a', 'b', 'c'])
    expect(answer.usage).toMatchObject({ total_tokens: 27 })
    expect(upstream.seen.map(({ body }) => JSON.parse(body).n)).toEqual([3, 1, 1])
    await client(runtime).images.generate({ ...asked, model })
    expect(upstream.seen.slice(3).map(({ body }) => JSON.parse(body).n)).toEqual([1, 1, 1])
  })

  it('are three where it makes two, and different ones where there is a seed', async () => {
    upstream.script(made('a', 'b'), made('c'))
    const answer = await client(runtime).images.generate({ ...asked, model: 'lab/two', seed: 5 } as never)
    expect((answer as OpenAI.ImagesResponse).data?.map(({ b64_json: image }) => image)).toEqual(['a', 'b', 'c'])
    expect(upstream.seen.map(({ body }) => JSON.parse(body))).toMatchObject([
      { n: 3, seed: 5 },
      { n: 1, seed: 6 },
    ])
  })

  it.each(['edit', 'createVariation'] as const)('are three by a form, with the file in each: %s', async (kind) => {
    upstream.script(made('a'), made('b'), made('c'))
    const image = await toFile(Buffer.from('image'), 'a.png', { type: 'image/png' })
    const answer = await client(runtime).images[kind]({ ...asked, model: `lab/${kind}`, image } as never)
    expect((answer as OpenAI.ImagesResponse).data).toHaveLength(3)
    const forms = upstream.seen.map(({ body, headers }) =>
      new Response(body, { headers: { 'content-type': headers['content-type'] ?? '' } }).formData(),
    )
    const fields = (await Promise.all(forms)).map((form) => [form.get('n'), form.get('model'), form.get('image')])
    expect(fields).toMatchObject(['3', '1', '1'].map((n) => [n, kind, { size: 5, name: 'a.png' }]))
  })

  it('are a 400 that names `n` where the form is too large to be sent again', async () => {
    upstream.script(made('a'))
    const form = new FormData()
    for (const [name, value] of Object.entries({ ...asked, model: 'lab/large' })) form.append(name, String(value))
    form.append('image', new Blob([new Uint8Array(9 * 1024 * 1024)]), 'a.png')
    const response = await fetch(`${both.addresses[runtime]}/images/edits`, {
      ...{ method: 'POST', body: form, headers: { authorization: `Bearer ${both.key}` } },
    })
    const reply = { status: response.status, headers: response.headers, text: await response.text() }
    expect([reply.status, errorOf(reply)]).toMatchObject([400, { code: 'unsupported_parameter', param: 'n' }])
    expect(upstream.seen).toHaveLength(1)
  })

  it('are three in a stream: the others follow', async () => {
    upstream.script(stream([event('a')]), stream([event('b')]), stream([event('c')]))
    const ask = () => both.ask(runtime, { ...asked, model: 'lab/streams', stream: true }, '/images/generations')
    const { text } = await ask()
    expect(text.startsWith(event('a'))).toBe(true)
    const images = eventsOf(text).map(({ data }) => JSON.parse(data).b64_json)
    expect(images.toSorted()).toEqual(['a', 'b', 'c'])
    expect(text).not.toContain('[DONE]')
    upstream.script(stream([event('d')]))
    expect((await ask()).text).toBe(event('d').repeat(3))
  })

  it('are three where a stream was wanted and it answers whole', async () => {
    upstream.script(made('a'), made('b'), made('c'))
    const { text } = await both.ask(runtime, { ...asked, model: 'lab/whole', stream: true }, '/images/generations')
    expect(eventsOf(text).map(({ event: name }) => name)).toEqual(Array(3).fill('image_generation.completed'))
  })

  it('are what it sends, byte for byte, where it makes all', async () => {
    const frames = [': hello\n\n', event('a'), event('b'), event('c')]
    upstream.script(stream(frames))
    const body = { ...asked, model: 'lab/all', stream: true }
    expect((await both.ask(runtime, body, '/images/generations')).text).toBe(frames.join(''))
    const whole = '{ "created":1, "data":[{"url":"a"},{"url":"b"},{"url":"c"}] }'
    upstream.script(json(200, whole))
    expect((await both.ask(runtime, { ...asked, model: 'lab/all' }, '/images/generations')).text).toBe(whole)
  })
})

describe.each(runtimes)('As many as none can make are a 400, on %s:', (runtime) => {
  const routes = ['lab/m', 'ollama/m'].flatMap((model) => [
    ['/chat/completions', chat(model), 128] as const,
    ['/completions', { model, prompt: 'hi' }, 128] as const,
  ])
  it.each([
    ...routes,
    ['/images/generations', { model: 'lab/m', prompt: 'hi' }, 10] as const,
    ['/images/edits', { model: 'lab/m', prompt: 'hi', images: [{ image_url: 'https://x' }] }, 10] as const,
  ])('%s %j', async (path, body, most) => {
    upstream.script(json(200, chatAnswer('x')))
    for (const [n, code] of [
      [0, 'integer_below_min_value'],
      [-1, 'integer_below_min_value'],
      [most + 1, 'integer_above_max_value'],
    ] as const) {
      const reply = await both.ask(runtime, { ...body, n }, path)
      expect([n, reply.status, errorOf(reply)]).toMatchObject([n, 400, { code, param: 'n' }])
    }
    expect(upstream.seen.filter(({ method }) => method === 'POST')).toEqual([])
  })

  it.each(['0', '11'])('a form with %s images', async (n) => {
    const form = new FormData()
    for (const [name, value] of Object.entries({ n, model: 'lab/m', prompt: 'hi' })) form.append(name, value)
    form.append('image', new Blob(['x']), 'a.png')
    const response = await fetch(`${both.addresses[runtime]}/images/variations`, {
      ...{ method: 'POST', body: form, headers: { authorization: `Bearer ${both.key}` } },
    })
    const reply = { status: response.status, headers: response.headers, text: await response.text() }
    expect([reply.status, errorOf(reply).param]).toEqual([400, 'n'])
  })
})
