import { beforeEach, describe, expect, it } from 'vitest'
import type { Config } from '../../src/config/schema.ts'
import { ask, errorOf, until } from '../support/ask.ts'
import { runtimes, serveBoth } from '../support/both.ts'
import { ManualClock, serveNode } from '../support/gateway.ts'
import { chatAnswer, json, type Script, type Seen } from '../support/upstream.ts'

const configOf = (url: string): Config => ({
  providers: {
    ollama: { type: 'ollama', baseURL: url },
    v1: { type: 'ollama', api: 'openai', baseURL: url },
    any: { type: 'openai-compatible', baseURL: `${url}/any` },
  },
  retries: 1,
  models: { relieved: { deployments: ['ollama/x'], fallbacks: ['any/y'] } },
  fetchImages: { hosts: [new URL(url).host] },
})

const png = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex')
const images: Readonly<Record<string, Buffer>> = {
  '/img/a.png': png,
  '/img/b.jpg': Buffer.from('ffd8ffe000104a464946', 'hex'),
  '/img/c.gif': Buffer.from('GIF89a…'),
  '/img/d.webp': Buffer.from('RIFF1234WEBPVP8 '),
  '/img/page.png': Buffer.from('<!doctype html>'),
}

const answer = { model: 'x', message: { role: 'assistant', content: 'a cat' }, done: true }

const serving: Script = (request, response, socket) => {
  const image = images[request.path.replace(/\?.*/, '')]
  if (image) response.writeHead(200, { 'content-type': 'image/png' }).end(image)
  else if (request.path.startsWith('/to/')) {
    response.writeHead(302, { location: decodeURIComponent(request.path.slice('/to/'.length)) }).end()
  } else if (request.path === '/img/endless') {
    response.writeHead(200, { 'content-type': 'image/png' })
    const piece = Buffer.alloc(1024 * 1024, 'x')
    const write = () => void response.write(piece, () => socket.destroyed || setImmediate(write))
    write()
  } else if (request.path === '/img/silent') response.flushHeaders()
  else if (request.path === '/api/chat') json(200, answer)(request, response, socket)
  else if (request.path.endsWith('/chat/completions')) json(200, chatAnswer('a cat'))(request, response, socket)
  else response.writeHead(404).end()
}

const { upstream, both } = serveBoth('images', configOf)
const part = (url: string) => ({ type: 'image_url', image_url: { url, detail: 'low' } })
const showing = (model: string, ...urls: string[]) => ({
  model,
  messages: [{ role: 'user', content: [{ type: 'text', text: 'What is it?' }, ...urls.map(part)] }],
})
const base64 = (path: string) => images[path]?.toString('base64')
const asked = (): Seen[] => upstream.seen.filter(({ method }) => method === 'POST')
const fetched = () => upstream.seen.filter(({ path }) => path.startsWith('/img') || path.startsWith('/to'))

describe.each(runtimes)('An image that is given by address to a provider that takes only data, on %s,', (runtime) => {
  beforeEach(() => {
    upstream.seen.length = 0
    upstream.script(serving)
  })

  it('is fetched in each of the formats that models read, without credentials', async () => {
    const paths = ['/img/a.png', '/img/b.jpg', '/img/c.gif', '/img/d.webp']
    const reply = await both.ask(runtime, showing('ollama/x', ...paths.map((path) => upstream.url + path)))
    expect(reply.status).toBe(200)
    expect(JSON.parse(asked()[0]?.body ?? '')).toMatchObject({
      messages: [{ content: 'What is it?', images: paths.map(base64) }],
    })
    for (const { headers } of fetched()) expect([headers.authorization, headers.cookie]).toEqual([undefined, undefined])
  })

  it('is sent to the compatible API as a data: URL, with what else is said of it', async () => {
    await both.ask(runtime, showing('v1/x', `${upstream.url}/img/a.png`))
    const { messages } = JSON.parse(asked()[0]?.body ?? '') as ReturnType<typeof showing>
    expect(messages[0]?.content[1]).toEqual(part(`data:image/png;base64,${base64('/img/a.png')}`))
  })

  it('is fetched once, however often the request is tried and however often it shows it', async () => {
    let failures = 0
    upstream.script((request, response, socket) => {
      if (request.path === '/api/chat' && failures++ === 0) response.writeHead(500).end()
      else serving(request, response, socket)
    })
    const url = `${upstream.url}/img/a.png`
    expect((await both.ask(runtime, showing('ollama/x', url, url))).status).toBe(200)
    expect([asked().length, fetched().length]).toEqual([2, 1])
  })

  it('is fetched from an address that is longer than most', async () => {
    const url = `${upstream.url}/img/a.png?signature=${'s'.repeat(2_000)}`
    const filler = { role: 'system', content: 'x'.repeat(20_000) }
    const { messages, ...rest } = showing('ollama/x', url)
    expect((await both.ask(runtime, { ...rest, messages: [filler, ...messages] })).status).toBe(200)
    expect(fetched()).toHaveLength(1)
  })

  it('is followed through up to three redirects', async () => {
    const through = (times: number): string =>
      times === 0 ? `${upstream.url}/img/a.png` : `${upstream.url}/to/${encodeURIComponent(through(times - 1))}`
    expect((await both.ask(runtime, showing('ollama/x', through(3)))).status).toBe(200)
    const reply = await both.ask(runtime, showing('ollama/x', through(4)))
    expect([reply.status, errorOf(reply).code]).toEqual([400, 'invalid_image_url'])
  })

  it.each([
    'http://localhost:PORT/img/a.png',
    'http://127.0.0.1/img/a.png',
    'http://2130706433/img/a.png',
    'http://[::1]:PORT/img/a.png',
    'http://[::ffff:7f00:1]:PORT/img/a.png',
    'http://169.254.169.254/latest/meta-data/',
    'http://metadata.google.internal/computeMetadata/v1/',
    'http://user:password@127.0.0.1:PORT/img/a.png',
    'ftp://127.0.0.1:PORT/img/a.png',
    'file:///etc/passwd',
    'img/a.png',
    '',
  ])('is not fetched from a private address, not even after a redirect: %s', async (address) => {
    const url = address.replace('PORT', new URL(upstream.url).port)
    const direct = await both.ask(runtime, showing('ollama/x', url))
    expect(direct.status).toBe(400)
    expect(errorOf(direct)).toMatchObject({
      type: 'invalid_request_error',
      param: 'messages[0].content[1].image_url',
      code: 'invalid_image_url',
    })
    expect(upstream.seen).toEqual([])
    if (!/^(http|ftp|file):/.test(url)) return
    const redirected = await both.ask(runtime, showing('ollama/x', `${upstream.url}/to/${encodeURIComponent(url)}`))
    expect([redirected.status, errorOf(redirected).code]).toEqual([400, 'invalid_image_url'])
    expect(upstream.seen.map(({ path }) => path.slice(0, 4))).toEqual(['/to/'])
  })

  it.each([
    ['is missing', '/img/none.png', 'Failed to download image from'],
    ['is no image', '/img/page.png', 'You uploaded an unsupported image'],
    ['is too large', '/img/endless', 'Image size exceeds the limit'],
  ])('is refused by name if it %s, and the next request works', async (_what, path, words) => {
    const reply = await both.ask(runtime, showing('ollama/x', `${upstream.url}/img/a.png`, upstream.url + path))
    expect(reply.status).toBe(400)
    const { message, param, code } = errorOf(reply)
    expect(message).toContain(words)
    expect([param, code]).toEqual(['messages[0].content[2].image_url', 'invalid_image_url'])
    expect(asked()).toEqual([])
    expect((await both.ask(runtime, showing('ollama/x', `${upstream.url}/img/a.png`))).status).toBe(200)
  })

  it('is left to another provider that fetches it by itself, if it can’t be had', async () => {
    const url = `${upstream.url}/img/none.png`
    const reply = await both.ask(runtime, showing('relieved', url))
    expect([reply.status, reply.headers.get('x-samewire-model')]).toEqual([200, 'any/y'])
    expect(JSON.parse(asked()[0]?.body ?? '')).toMatchObject({ messages: [{ content: [{}, part(url)] }] })
  })

  it('reaches a provider that fetches it by itself as it is', async () => {
    const url = 'http://169.254.169.254/a.png'
    await both.ask(runtime, showing('any/y', url))
    expect(JSON.parse(asked()[0]?.body ?? '')).toEqual(showing('y', url))
    expect(fetched()).toEqual([])
  })

  it('is one of up to twenty', async () => {
    const urls = Array.from({ length: 21 }, (_, at) => `${upstream.url}/img/a.png?${at}`)
    const reply = await both.ask(runtime, showing('ollama/x', ...urls))
    expect([reply.status, errorOf(reply).param]).toEqual([400, 'messages[0].content[21].image_url'])
    expect(upstream.seen).toEqual([])
  })
})

describe('An image that takes too long', () => {
  const clock = new ManualClock()
  const { upstream: slow, gateway } = serveNode(configOf, { clock, script: serving })

  it('is refused after fifteen seconds', async () => {
    const pending = ask(gateway, showing('ollama/x', `${slow.url}/img/silent`))
    await until(() => slow.seen.length > 0)
    await clock.advance(15_000)
    const reply = await pending
    expect(reply.status).toBe(400)
    expect(errorOf(reply).message).toMatch(/^Timeout while downloading http/)
  })
})

describe('Without fetchImages', () => {
  const { upstream: quiet, gateway } = serveNode((url) => ({ ...configOf(url), fetchImages: false }), {
    script: serving,
  })

  it('no image is fetched', async () => {
    const reply = await ask(gateway, showing('ollama/x', `${quiet.url}/img/a.png`))
    expect([reply.status, errorOf(reply).code]).toEqual([400, 'unsupported_parameter'])
    expect(quiet.seen).toEqual([])
  })
})
