import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask, chat, hastyClock, noLists, raw } from '../support/ask.ts'
import { cpuFor } from '../support/cpu.ts'
import { duringTests } from '../support/during-tests.ts'
import { type RunningGateway, serveUpstreams, startGateway } from '../support/gateway.ts'
import { chatAnswer, chatFrames, fakeUpstream, json, reset, type Script, stream, text } from '../support/upstream.ts'

/** Marked so that they can be looked for in everything: none of them looks like a key by its form. */
const secrets = {
  first: 'FIRST-PROVIDER-SECRET',
  second: 'SECOND-PROVIDER-SECRET',
  header: 'HEADER-SECRET-VALUE',
  gateway: 'GATEWAY-KEY-SECRET',
  callers: 'CALLERS-OWN-SECRET',
  cookie: 'COOKIE-SECRET-VALUE',
  prompt: 'PROMPT-SECRET-WORDS',
}

const { first, second } = serveUpstreams({ first: undefined, second: undefined })
const gateway = duringTests(() =>
  startGateway(
    {
      providers: {
        first: { type: 'openai', baseURL: first.url, apiKey: 'env:FIRST', headers: { 'x-extra': 'env:HEADER' } },
        second: { type: 'openai', baseURL: second.url, apiKey: 'env:SECOND' },
        own: { type: 'openai', baseURL: second.url, apiKey: 'client' },
      },
      models: {
        both: { deployments: ['first/m'], fallbacks: ['second/m'] },
        mixed: { deployments: ['own/m'], fallbacks: ['second/m'] },
      },
    },
    {
      services: noLists,
      env: { FIRST: secrets.first, SECOND: secrets.second, HEADER: secrets.header, SAMEWIRE_KEY: secrets.gateway },
      clock: hastyClock(),
    },
  ),
)

const headers = {
  'x-api-key': secrets.gateway,
  authorization: `Bearer ${secrets.callers}`,
  cookie: `s=${secrets.cookie}`,
}
const request = (model: string, more: object = {}) =>
  chat(model, { messages: [{ role: 'user', content: secrets.prompt }], ...more })

function expectNone(text: string, ...names: (keyof typeof secrets)[]): void {
  for (const name of names) expect(text, name).not.toContain(secrets[name])
}

/** Repeats in its failure all that it was sent, as some servers do. */
const echoing =
  (status: number): Script =>
  (seen, response, socket) => {
    const message = `failed for ${JSON.stringify(seen.headers)}`
    return json(status, { error: { message, type: 'x', param: null, code: 'x' } })(seen, response, socket)
  }

const faults: readonly [string, Script][] = [
  ['400 that repeats its request', echoing(400)],
  ['401 that repeats its request', echoing(401)],
  ['403 that repeats its request', echoing(403)],
  ['404 that repeats its request', echoing(404)],
  ['429 that repeats its request', echoing(429)],
  ['500 that repeats its request', echoing(500)],
  ['200 that repeats its request', echoing(200)],
  [
    'plain text that repeats the key',
    (seen, response) => response.writeHead(500).end(`denied: ${seen.headers.authorization}`),
  ],
  ['a redirect', (_seen, response) => response.writeHead(307, { location: `${second.url}/elsewhere` }).end()],
  ['a reset', reset],
  ['a web page', text(502, '<html>x</html>', 'text/html')],
  ['no JSON', json(200, '{"cut')],
  ['a stream that dies', stream(chatFrames('x').slice(0, 2), 'reset')],
]

describe('A secret stays where it belongs when the upstream answers with', () => {
  it.each(faults)('%s', async (_how, script) => {
    first.script(script)
    second.script(json(200, chatAnswer('x')))
    for (const streams of [false, true]) {
      const reply = await ask(gateway, request('first/m', { stream: streams }), { headers })
      expectNone(
        reply.text + JSON.stringify([...reply.headers]),
        'first',
        'second',
        'header',
        'gateway',
        'callers',
        'cookie',
      )
    }
    expect(second.seen).toEqual([])
    expectNone(JSON.stringify(first.seen), 'second', 'gateway', 'callers', 'cookie')
    expect(first.seen[0]?.headers.authorization).toBe(`Bearer ${secrets.first}`)
    expect(first.seen[0]?.headers['x-extra']).toBe(secrets.header)
  })

  it.each(faults)('%s, and another provider is asked', async (_how, script) => {
    first.script(script)
    second.script(json(200, chatAnswer('x')))
    await ask(gateway, request('both'), { headers })
    expectNone(JSON.stringify(second.seen), 'first', 'header', 'gateway', 'callers', 'cookie')
  })
})

type Form = readonly [name: string, write: (secret: string) => string]

/** One request's secrets in every form in which a server may repeat them. */
const forms: readonly Form[] = [
  ['as it is', (secret) => secret],
  ['with JSON’s escapes', (secret) => JSON.stringify(escaped(secret)).slice(1, -1)],
  ['in JSON inside JSON', (secret) => JSON.stringify({ error: { message: `x ${escaped(secret)}` } })],
  ['URL-encoded', encodeURIComponent],
  [
    'URL-encoded in small letters',
    (secret) => encodeURIComponent(secret).replace(/%../g, (code) => code.toLowerCase()),
  ],
  ['URL-encoded all over', (secret) => [...secret].map((c) => `%${c.charCodeAt(0).toString(16)}`).join('')],
  ...['', 'a', 'ab', 'user:'].map(
    (before): Form => [`in base64 behind “${before}”`, (secret) => btoa(`${before}${secret}:x`)],
  ),
  ['URL-encoded twice', (secret) => encodeURIComponent(encodeURIComponent(secret))],
  ['as HTML', (secret) => [...secret].map((c) => `&#x${c.charCodeAt(0).toString(16)};`).join('')],
  ['in hexadecimal', (secret) => Buffer.from(secret).toString('hex')],
  ['as UTF-16', (secret) => [...secret].join('\0')],
  ['in base64 for URLs', (secret) => Buffer.from(`u:${secret}`).toString('base64url')],
]
const escaped = (text: string) => [...text].map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')

/** What an attacker would try: every form undone, again and again. */
function undone(text: string): string {
  const plain = text
    .replace(/\\+u([\da-f]{4})/gi, (_, code) => String.fromCharCode(Number.parseInt(code, 16)))
    .replace(/%([\da-f]{2})/gi, (_, code) => String.fromCharCode(Number.parseInt(code, 16)))
    .replace(/&#x([\da-f]+);/gi, (_, code) => String.fromCharCode(Number.parseInt(code, 16)))
    .replace(/%([\da-f]{2})/gi, (_, code) => String.fromCharCode(Number.parseInt(code, 16)))
    .replaceAll(/[\\\0]/g, '')
  const words = plain.split(/[^\w+/=-]+/).flatMap((word) => [0, 1, 2, 3].map((at) => word.slice(at)))
  const bases = words.map((word) => Buffer.from(word, 'base64').toString('latin1'))
  return [plain, ...bases, ...words.map((word) => Buffer.from(word, 'hex').toString('latin1'))].join('\n')
}

describe('A key with a slash, a plus and a quote is taken out of an error', () => {
  const key = 'SECRET/KEY+OF"THE/PROVIDER='
  const token = 'dXNlcjpw/YXNz+d29yZA=='
  let keyed: RunningGateway

  beforeAll(async () => {
    const p = { type: 'openai', baseURL: first.url, apiKey: 'env:KEY', headers: { 'x-auth': 'env:AUTH' } }
    const env = { KEY: key, AUTH: `Basic ${token}` }
    keyed = await startGateway({ providers: { p } }, { env, clock: hastyClock(), services: noLists })
  })
  afterAll(() => keyed.close())

  it.each(forms)('%s', async (_form, write) => {
    for (const secret of [key, token]) {
      const said = `denied for ${write(secret)} here`
      for (const script of [
        json(400, { error: { message: said, type: said, param: said, code: said } }),
        json(500, JSON.stringify({ detail: said }).replaceAll('/', '\\/')),
        json(200, { error: said }),
        text(403, said),
        stream([...chatFrames('x').slice(0, 2), `data: ${JSON.stringify({ error: { message: said } })}\n\n`]),
      ]) {
        first.script(script)
        for (const streams of [false, true]) {
          const reply = await ask(keyed, request('p/m', { stream: streams }))
          expect(undone(reply.text + JSON.stringify([...reply.headers]))).not.toContain(secret)
        }
      }
    }
  })

  it('also one that the upstream has cut', async () => {
    first.script(text(400, `no such key: ${key.slice(0, -3)}…, sent as ${key.slice(0, 14)}`))
    expect((await ask(keyed, request('p/m'))).text).toContain('no such key: ***…, sent as ***')
  })

  it('also what only looks like another’s key, but not a word that begins like one', async () => {
    first.script(text(400, 'sent sk-abcdefghijklmnop, gsk_0123456789abcdef and key-0123456789abcdef'))
    expect((await ask(keyed, request('p/m'))).text).toContain('sent sk-***, gsk-*** and key-***')
    first.script(text(400, 'sent key_with_no_digits'))
    expect((await ask(keyed, request('p/m'))).text).toContain('sent key_with_no_digits')
  })

  it.each([
    ['backslashes', '\\'.repeat(63_000)],
    ['half escapes', '\\u00'.repeat(15_000)],
    ['percent signs', '%'.repeat(63_000)],
    ['beginnings of keys', key.slice(0, 14).repeat(4_000)],
    ['words that begin like keys', 'key-'.repeat(16_000)],
  ])('and no text of %s holds the gateway for long', async (_what, said) => {
    for (const script of [text(400, said), json(400, { error: { message: said } })]) {
      first.script(script)
      const took = await cpuFor(async () => expect((await ask(keyed, request('p/m'))).status).toBe(400))
      // Once it was 6 to 40 seconds.
      expect(took).toBeLessThan(1_000)
    }
  })

  it('also a caller’s own of 6,000 characters, which is never logged', async () => {
    const token = `ey${'Jhbcde.'.repeat(857)}`
    const providers = { own: { type: 'openai', baseURL: first.url, apiKey: 'client' } }
    const open = await startGateway({ providers }, { clock: hastyClock(), services: noLists })
    first.script(echoing(400))
    const reply = await ask(open, request('own/m'), { headers: { authorization: `Bearer ${token}` } })
    expect(reply.status).toBe(400)
    expect(reply.text + open.logged.join()).not.toContain(token.slice(0, 100))
    await open.close()
  })

  it('also one that is cut in half where the connection breaks', async () => {
    const start = `you sent ${key.slice(0, -4)}`
    first.script((_seen, response, socket) => {
      response.writeHead(500, { 'content-length': '1000' })
      response.write(start, () => socket.destroy())
    })
    const reply = await ask(keyed, request('p/m'))
    expect(reply.text).toContain('you sent ***')
    expect(reply.text).not.toContain('SECRET')
  })

  it('also one that is cut in half at the end of what is read', async () => {
    for (let more = 0; more < key.length; more += 3) {
      first.script(text(500, `x${' '.repeat(64 * 1024 - 2 - more)}${key}${'y'.repeat(9_000)}`))
      expect((await ask(keyed, request('p/m'))).text).not.toContain('SECRET')
    }
  })
})

describe('An error names the provider', () => {
  it.each<[string, Script]>([
    ['that closes before it answers', reset],
    ['that is no HTTP', (_seen, _response, socket) => socket.end('garbage\r\n\r\n')],
    ['that breaks off', stream(chatFrames('x').slice(0, 2), 'reset')],
  ])('and not the host and port of one %s', async (_how, script) => {
    first.script(script)
    for (const streams of [false, true]) {
      const reply = await ask(gateway, request('first/m', { stream: streams }), { headers })
      expect(reply.text).toContain('"error"')
      expect(reply.text + JSON.stringify([...reply.headers])).not.toContain(new URL(first.url).port)
    }
  })

  it('that nobody answers for', async () => {
    const gone = await fakeUpstream()
    const providers = { lab: { type: 'openai-compatible', baseURL: gone.url } }
    const alone = await startGateway({ providers }, { clock: hastyClock(), services: noLists })
    await gone.close()
    const reply = await ask(alone, request('lab/m'))
    expect(JSON.parse(reply.text).error.message).toBe("lab can't be reached (ECONNREFUSED).")
    await alone.close()
  })
})

describe('The caller’s own key', () => {
  it('goes to the provider that is to have it, and to no other', async () => {
    second.script(text(503, ''), text(503, ''), text(503, ''), json(200, chatAnswer('x')))
    expect((await ask(gateway, request('mixed'), { headers })).status).toBe(200)
    const keys = second.seen.map((seen) => seen.headers.authorization)
    expect(keys).toEqual([...Array(3).fill(`Bearer ${secrets.callers}`), `Bearer ${secrets.second}`])
    expectNone(JSON.stringify(second.seen), 'first', 'header', 'gateway', 'cookie')
  })

  it('is not told back by an upstream that repeats it', async () => {
    second.script(echoing(400))
    const reply = await ask(gateway, request('own/m'), { headers })
    expectNone(reply.text, 'callers')
  })
})

describe('The log', () => {
  it('tells of all that went wrong here, and holds no secret and no word of a prompt', async () => {
    for (const [, script] of faults) {
      first.script(script)
      second.script(script)
      for (const model of ['both', 'mixed']) await ask(gateway, request(model), { headers })
    }
    await ask(gateway, request('nope'), { headers })
    await ask(gateway, `{"model":"first/m","messages":"${secrets.prompt}`, { headers })
    await ask(gateway, request('first/m'), { headers: { 'x-api-key': `x${secrets.callers}` } })
    await raw(gateway.port, `${secrets.prompt}\r\n\r\n`)
    const logged = gateway.logged.join('\n')
    expect(logged).toContain('first/m')
    expectNone(logged, ...(Object.keys(secrets) as (keyof typeof secrets)[]))
  })
})
