import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { reactions } from '../../src/wire/errors.ts'
import { chat } from '../support/ask.ts'
import { type FakeUpstream, fakeUpstream } from '../support/upstream.ts'
import { type AssembledGateway, startGateway } from './gateways.ts'
import { codesIn, readme, root, tableOf } from './snippets.ts'

const refusals = tableOf(readme, 'refusals').flatMap(([status, codes = '']) =>
  codesIn(codes).map((code) => [code, Number(status)] as const),
)

const key = 'sk-of-these-tests'

let upstream: FakeUpstream
let gateway: AssembledGateway

beforeAll(async () => {
  upstream = await fakeUpstream((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' })
    response.write('{', () => response.destroy())
  })
  gateway = await startGateway(
    {
      providers: {
        p: { type: 'openai-compatible', baseURL: upstream.url },
        o: { type: 'ollama', baseURL: upstream.url },
        e: { type: 'embedded' },
      },
      bodyLimit: 2_000,
      retries: 0,
    },
    { env: { SAMEWIRE_KEY: key } },
  )
})
afterAll(async () => {
  await gateway.stop()
  await upstream.close()
})

interface Asking {
  readonly method?: string
  readonly path?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}

const badCall = { id: 'a', type: 'function', function: { name: 'f', arguments: '{' } }
const said = { role: 'user', content: 'hi' }

/** A request for each code. */
const askings: Readonly<Record<string, Asking>> = {
  missing_required_parameter: { body: { model: 'p/x' } },
  invalid_type: { body: { ...chat('p/x'), temperature: 'high' } },
  invalid_value: { body: { ...chat('o/x'), messages: [said, { role: 'assistant', tool_calls: [badCall] }] } },
  integer_above_max_value: { body: chat('o/x', { n: 129 }) },
  invalid_image_url: {
    body: chat('o/x', {
      messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'http://10.0.0.1/' } }] }],
    }),
  },
  empty_array: { body: { model: 'p/x', messages: [] } },
  array_above_max_length: { path: '/v1/completions', body: { model: 'e/tiny-chat', prompt: Array(129).fill('a') } },
  string_above_max_length: { body: chat('x'.repeat(600)) },
  integer_below_min_value: { path: '/v1/embeddings', body: { model: 'p/x', input: 'x', dimensions: 0 } },
  duplicate_parameter: { body: '{"model":"p/x","model":"p/y","messages":[{"role":"user","content":"hi"}]}' },
  unknown_parameter: { body: chat('p/x', { provider: { zdr: true } }) },
  no_allowed_provider: { body: chat('p/x', { provider: { only: ['o'] } }) },
  previous_response_not_found: {
    path: '/v1/responses',
    body: { model: 'p/x', input: 'hi', previous_response_id: 'resp_1' },
  },
  unknown_url: { path: '/v1/nowhere' },
  method_not_supported: { method: 'PUT' },
  request_too_large: { body: chat('p/x', { user: 'x'.repeat(2_000) }) },
  upgrade_required: { method: 'GET', path: '/v1/realtime?model=p/x' },
  unsupported_content_type: { headers: { 'content-type': 'text/html' } },
  unsupported_content_encoding: { headers: { 'content-encoding': 'compress' } },
  upstream_stream_truncated: {},
}

test.each(refusals.filter(([code]) => code !== 'misconfigured'))(
  'a client meets %s with the status that the table says',
  async (code, status) => {
    const { method = 'POST', path = '/v1/chat/completions', headers = {}, body = chat('p/x') } = askings[code] ?? {}
    const response = await gateway.fetch(
      new Request(`http://gateway${path}`, {
        method,
        headers: { 'content-type': 'application/json', authorization: `Bearer ${key}`, ...headers },
        ...(method !== 'GET' && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      }),
    )
    expect([response.status, await response.json()]).toEqual([status, { error: expect.objectContaining({ code }) }])
  },
)

test('every code that the gateway gives is told: in a table, beside Azure’s paths, or with the admin routes', () => {
  const given = ['src', 'providers'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .flatMap((name) => codesGiven(readFileSync(join(root, folder, name), 'utf8'))),
  )
  const azures = codesIn(/with Azure's codes ([^,]+),/.exec(readme)?.[1] ?? '')
  const admins = [...readme.matchAll(/Codes of their own are\s([^.]+)\./g)].flatMap(([, codes = '']) => codesIn(codes))
  const known = [
    ...admins,
    ...refusals.map(([code]) => code),
    ...azures,
    ...Object.values(reactions).map(({ code }) => code),
  ]
  expect(given).toContain('duplicate_parameter')
  expect(given).toContain('invalid_type')
  expect(given.filter((code) => !known.includes(code))).toEqual([])
})

/** What a program writes as a code: `code: '…'`, or the third argument that it gives `invalid`. */
function codesGiven(program: string): string[] {
  const named = [...program.matchAll(/\bcode: '([a-z_]+)'/g)].map(([, code = '']) => code)
  const third = [...program.matchAll(/\binvalid\(/g)].flatMap(({ index }) => {
    const code = /^\s*'([a-z_]+)'\s*$/.exec(argumentsAt(program, index + 'invalid('.length)[2] ?? '')?.[1]
    return code === undefined ? [] : [code]
  })
  return [...named, ...third]
}

/** The arguments of a call, from behind its bracket. */
function argumentsAt(program: string, start: number): string[] {
  const found = ['']
  let depth = 0
  for (const [part] of program
    .slice(start)
    .matchAll(/'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`|[\s\S]/g)) {
    if (/^[([{]$/.test(part)) depth++
    if (/^[)\]}]$/.test(part) && depth-- === 0) break
    if (part === ',' && depth === 0) found.push('')
    else found.push(`${found.pop()}${part}`)
  }
  return found
}
