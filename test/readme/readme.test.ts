import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { get } from 'node:http'
import { stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { registry } from '../../providers/index.ts'
import { schemaSource } from '../../scripts/schema.ts'
import { buildCatalog } from '../../src/config/catalog.ts'
import type { Config } from '../../src/config/schema.ts'
import type { Gateway } from '../../src/library/index.ts'
import { ownMetrics } from '../../src/observe/metrics/own-names.ts'
import { chat, wordsOf } from '../support/ask.ts'
import { faultsIn } from '../support/config-schema.ts'
import { type RunningGateway, startGateway as startOnPort } from '../support/gateway.ts'
import { keptState } from '../support/state.ts'
import { storedParts } from '../support/stored.ts'
import { chatAnswer, type FakeUpstream, fakeUpstream, json, stream } from '../support/upstream.ts'
import { builtWorker } from '../support/worker.ts'
import { bareEnv, listens, type RunningProgram, run, startProgram } from './children.ts'
import { firstKey } from './first-key.ts'
import { type AssembledGateway, askWith, startGateway } from './gateways.ts'
import { build } from './house.ts'
import { checkCommand } from './shell.ts'
import { root, type Snippet, snippets, snippetsOf } from './snippets.ts'
import {
  clear,
  environmentFor,
  faultsOfTypes,
  findPython,
  folder,
  importDefault,
  toCompile,
  write,
} from './workspace.ts'

const address = 'http://127.0.0.1:8787'

const alone = !(await listens(11434))

let gateway: RunningProgram
/** One that keeps keys and usage. */
let keeping: RunningGateway
const operatorKey = 'sk-of-the-operator'

beforeAll(async () => {
  await clear()
  const demo = { providers: { demo: { type: 'embedded' } }, fallback: 'demo/tiny-chat' }
  gateway = alone
    ? await startProgram()
    : await startProgram('--config', await write('demo.json', JSON.stringify(demo)))
  const state = await keptState()
  const env = { SAMEWIRE_KEY: 'sk-of-clients', SAMEWIRE_ADMIN_KEY: operatorKey }
  const { stored } = await storedParts(state.database)
  keeping = await startOnPort({ ...demo, cache: { ttl: 60 } }, { env, state: async () => state, stored })
})
afterAll(async () => {
  await Promise.all([gateway.stop(), keeping.close()])
  await clear()
})

function here(text: string): string {
  expect(text).toContain(address)
  return text.replaceAll(address, gateway.url)
}

type Runner = (snippet: Snippet, title: string) => void

const runners: Readonly<Record<string, Runner>> = {
  shell({ text }, title) {
    test.each(text.trim().split('\n'))(`${title}: what %s uses is there`, async (line) => {
      for (const command of line.split('&&')) await checkCommand(command.trim())
    })
  },

  start({ text }, title) {
    test(`${title}: the start prints it`, ({ skip }) => {
      if (!alone) skip('an Ollama on this machine answers instead')
      expect(gateway.printed.replaceAll(gateway.url, address).trim()).toBe(text.trim())
    })
  },

  log({ text }, title) {
    test(`${title}: the log's lines look so`, () => {
      const line =
        /^\S+Z (info |warn ) req_\w{32} [A-Z]+ \/\S+ \d{3}( \(\w+\))? \d+ ms( first \d+ ms)? \S+ -> \S+ \d+\+\d+ tokens/
      for (const one of text.trim().split('\n')) expect(one).toMatch(line)
    })
  },

  prometheus({ text }, title) {
    test(`${title}: it scrapes where the gateway listens`, () => {
      const { scrape_configs: jobs } = parse(text)
      expect(jobs[0].static_configs[0].targets).toEqual([new URL(address).host])
      // The path for which Prometheus asks of itself.
      expect(jobs[0].metrics_path ?? '/metrics').toBe('/metrics')
    })
  },

  'prometheus-rules'({ text }, title) {
    test(`${title}: its rules ask for metrics that there are`, () => {
      const rules = parse(text).groups.flatMap((group: { rules: { expr: string }[] }) => group.rules)
      const names = rules.flatMap(({ expr }: { expr: string }) => expr.match(/samewire_\w+/g) ?? [])
      expect(names.length).toBeGreaterThanOrEqual(rules.length)
      const all = Object.values(ownMetrics).map(({ prometheus }) => prometheus)
      for (const name of names) expect(all).toContain(name)
    })
  },

  curl({ text, argument }, title) {
    test(`${title}: curl is answered`, async ({ skip }) => {
      if ((await run('sh', ['-c', 'command -v curl'])).code !== 0) skip('curl is not here')
      const { stdout, code } = await run('sh', ['-c', here(text)])
      expect(code).toBe(0)
      for (const expected of argument ? [argument] : ['"choices"', 'data: [DONE]']) expect(stdout).toContain(expected)
    })
  },

  begin({ text }, title) {
    test(`${title}: they make a key that is answered, with a budget`, async ({ skip }) => {
      if (!alone) skip('an Ollama on this machine answers instead')
      expect(await firstKey(text.trim().split('\n'))).toMatchObject({ data: { name: 'Ada', limit: 1 } })
    })
  },

  kept({ text, language, argument: expected }, title) {
    test(`${title}: a gateway that keeps keys and usage answers it`, async () => {
      const asked = text.replaceAll(address, keeping.baseURL.replace(/\/v1$/, ''))
      const env = {
        ...bareEnv,
        SAMEWIRE_ADMIN_KEY: operatorKey,
        OPENAI_ADMIN_KEY: operatorKey,
        SAMEWIRE_KEY: 'sk-of-clients',
      }
      const { stdout, stderr, code } =
        language === 'sh'
          ? await run('sh', ['-c', asked], env)
          : await run(process.execPath, [await write('operator.mjs', asked)], env)
      expect({ code, stderr: language === 'sh' ? '' : stderr }).toEqual({ code: 0, stderr: '' })
      expect(stdout).toContain(expected)
    })
  },

  node({ text }, title) {
    test(`${title}: the official client is answered`, async () => {
      const { stdout, stderr } = await run(process.execPath, [await write('client.mjs', here(text))])
      expect(stderr).toBe('')
      expect(stdout).toMatch(/\w/)
    })
  },

  python: python(/^[1-9]/),
  'python-0.27': python(/^0\.2[78]/),

  parse({ text, argument, line }, title) {
    test(`${title}: parses as JavaScript (not run, since ${argument} is not installed)`, async () => {
      expect(text).toContain(`'${address}/v1'`)
      expect(text).toContain(`from '${argument}'`)
      expect(stripTypeScriptTypes(text)).toBe(text)
      expect((await run(process.execPath, ['--check', await write(`parsed-${line}.mjs`, text)])).stderr).toBe('')
    })
  },

  claude({ text }, title) {
    test(`${title}: what Claude Code would ask by it is answered`, async () => {
      const [, baseURL] = /^export ANTHROPIC_BASE_URL=(.*)$/m.exec(here(text)) ?? []
      expect((await fetch(`${baseURL}/`, { method: 'HEAD' })).status).toBe(200)
      const response = await fetch(`${baseURL}/v1/messages?beta=true`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          authorization: `Bearer ${/^export ANTHROPIC_AUTH_TOKEN=(.*)$/m.exec(text)?.[1]}`,
          'anthropic-version': '2023-06-01',
          'anthropic-beta': 'claude-code-20250219,effort-2025-11-24',
        },
        body: JSON.stringify({ ...claudeRequest, model: /--model (\S+)/.exec(text)?.[1] }),
      })
      const types = [...(await response.text()).matchAll(/^event: (.*)$/gm)].map(([, type]) => type)
      expect(types[0]).toBe('message_start')
      expect(types).toContain('content_block_delta')
      expect(types.at(-1)).toBe('message_stop')
    })
  },

  gemini({ text }, title) {
    test(`${title}: what the Gemini CLI would ask by it is answered`, async () => {
      const [, baseURL] = /^export GOOGLE_GEMINI_BASE_URL=(.*)$/m.exec(here(text)) ?? []
      const model = /--model (\S+)/.exec(text)?.[1]
      const response = await fetch(`${baseURL}/v1beta/models/${model}:streamGenerateContent?alt=sse`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'x-goog-api-key': String(/^export GEMINI_API_KEY=(.*)$/m.exec(text)?.[1]),
        },
        body: JSON.stringify(geminiRequest),
      })
      const chunks = (await response.text()).trim().split('\n\n')
      expect(chunks.length).toBeGreaterThan(1)
      expect(JSON.parse(chunks.at(-1)?.slice('data: '.length) ?? '')).toMatchObject({
        candidates: [{ finishReason: expect.any(String) }],
        usageMetadata: { totalTokenCount: expect.any(Number) },
      })
    })
  },

  codex({ text }, title) {
    test(`${title}: what Codex would ask by it is answered`, async () => {
      const [, baseURL] = /^base_url = "(.*)"$/m.exec(here(text)) ?? []
      expect(text).toMatch(/^wire_api = "responses"$/m)
      const response = await fetch(`${baseURL}/responses`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
        body: JSON.stringify({ ...codexRequest, model: /^model = "(.*)"$/m.exec(text)?.[1] }),
      })
      expect(response.headers.get('x-samewire-dropped')).toBe('tools.web_search')
      const types = [...(await response.text()).matchAll(/^event: (.*)$/gm)].map(([, type]) => type)
      expect(types[0]).toBe('response.created')
      expect(types).toContain('response.output_item.done')
      expect(types.at(-1)).toBe('response.completed')
    })
    test(`${title}: Codex may also open a WebSocket`, async () => {
      const status = await new Promise<number | undefined>((resolve, reject) => {
        const asking = get(`${gateway.url}/v1/responses`, { headers: webSocket })
        asking.on('error', reject)
        asking.on('response', (answer) => resolve(answer.resume().statusCode))
        asking.on('upgrade', (answer, socket) => {
          socket.destroy()
          resolve(answer.statusCode)
        })
      })
      expect(status).toBe(101)
    })
  },

  config({ text, argument }, title) {
    const file = toCompile(`${argument}.config.ts`, text)
    test(`${title}: is typed, checked and served`, async () => {
      expect(await faultsOfTypes(file)).toEqual([])
      const config = await importDefault<Config>(file)
      expect(faultsIn(config)).toEqual([])
      const env = environmentFor(text)
      expect(buildCatalog(config, registry, env).providers.size).toBe(Object.keys(config.providers ?? {}).length)
      // Assembling reads the keys too.
      await (await startGateway(config, { env })).stop()
    }, 180_000)
    if (argument !== 'whole') return
    test(`${title}: every key of the configuration stands in it`, async () => {
      const keys = [...(await schemaSource()).matchAll(/^ {2,4}(\w+): v\./gm)]
      for (const [, key = ''] of keys) expect(text).toContain(`${key}:`)
    })
  },

  library({ text, argument: prefix, line }, title) {
    const library = join(root, 'src/library/index.ts')
    const here = text
      .replace("from 'samewire'", `from '${library}'`)
      .replace('file:samewire.db', `file:${join(folder, 'library.db')}`)
    const file = toCompile(`library${line}.ts`, here)
    test(`${title}: is typed, and serves requests`, async () => {
      expect(await faultsOfTypes(file)).toEqual([])
      const { fetch, close } = await importDefault<Pick<Gateway, 'fetch'> & Partial<Gateway>>(file)
      const response = await fetch(new Request(`http://localhost${prefix}/health/ready`), { OPENAI_API_KEY: 'sk-test' })
      expect([response.status, await response.json()]).toMatchObject([200, { status: 'ready' }])
      await close?.()
    }, 180_000)
  },

  yaml({ text }, title) {
    test(`${title}: answers as the text behind it says`, async () => {
      expect(faultsIn(parse(text))).toEqual([])
      const upstream = await fakeUpstream(json(200, ollamaAnswer))
      const running = await startGateway(parse(text), { env: { OLLAMA_HOST: upstream.url } })
      try {
        const known = await askWith(running, 'gpt-3.5-turbo')
        expect(known.headers.get('x-samewire-model')).toBe('ollama/llama3.2')
        expect(known.headers.get('x-samewire-reason')).toBeNull()
        expect(known.body).toMatchObject({ model: 'llama3.2' })
        const missing = await askWith(running, 'no-such-model')
        expect(missing.headers.get('x-samewire-model')).toBe('ollama/llama3.2')
        expect(missing.headers.get('x-samewire-reason')).toBe('model_not_found')
        const asked = upstream.seen.filter(({ method }) => method === 'POST')
        expect(asked.map(({ path }) => path)).toContain('/api/chat')
        await askWith(running, 'gpt-4-turbo')
        expect(JSON.parse(upstream.seen.at(-1)?.body ?? '')).toMatchObject({ model: 'qwen3:14b' })
      } finally {
        await running.stop()
        await upstream.close()
      }
    })
  },

  wrangler({ text }, title) {
    test(`${title}: wrangler takes it, and the configuration in it is right`, async () => {
      const given = /'''([\s\S]*?)'''/.exec(text)?.[1] ?? ''
      expect(buildCatalog(JSON.parse(given), registry, {}).models.size).toBeGreaterThan(0)
      const own = (await readFile(join(root, 'wrangler.toml'), 'utf8'))
        // Another build would take away what others have wrangler build at the same time.
        .replace(/\[build\][\s\S]*?\n\n/, '')
        .replace('"dist/worker/', `"${join(root, (await builtWorker()).folder)}/`)
      const file = await write('wrangler.toml', `${own}\n${text}`)
      const args = ['deploy', '--dry-run', '--config', file, '--outdir', join(folder, 'worker')]
      const { stdout, stderr } = await run('wrangler', args, { ...bareEnv, CI: 'true', WRANGLER_SEND_METRICS: 'false' })
      expect(stdout + stderr).toContain('SAMEWIRE_CONFIG')
      expect(stdout).toContain('--dry-run: exiting now')
    }, 180_000)
  },

  tree({ text }, title) {
    test(`${title}: shows what is there, and all folders`, async () => {
      const names = text.split('\n').flatMap((line) => {
        const [, indent, name = ''] = /^( *)(\S+)/.exec(line) ?? []
        return name === '' ? [] : [`${indent === '' ? '' : 'src/'}${name}`]
      })
      for (const name of names) expect([name, existsSync(join(root, name))]).toEqual([name, true])
      const folders = (await readdir(join(root, 'src'), { withFileTypes: true })).filter((entry) => entry.isDirectory())
      expect(names).toEqual(expect.arrayContaining(folders.map(({ name }) => `src/${name}/`)))
    })
  },

  file({ argument }, title) {
    test(`${title}: ${argument} is no file yet`, () => expect(existsSync(join(root, argument))).toBe(false))
  },

  patch({ argument }, title) {
    test(`${title}: ${argument} is there to be changed`, () => expect(existsSync(join(root, argument))).toBe(true))
  },
}

/** What Claude Code sends, but for its long instructions and its tools. */
const claudeRequest = {
  ...{ max_tokens: 32_000, stream: true, thinking: { type: 'adaptive' }, output_config: { effort: 'high' } },
  context_management: { edits: [{ type: 'clear_thinking_20251015', keep: 'all' }] },
  metadata: { user_id: '{"device_id":"a"}' },
  system: [{ type: 'text', text: 'x-anthropic-billing-header: cc_version=2' }],
  messages: [
    { role: 'user', content: [{ type: 'text', text: 'hi', cache_control: { type: 'ephemeral' } }] },
    { role: 'system', content: 'Be brief.' },
  ],
}

/** What the Gemini CLI sends, but for its long instructions and its tools. */
const geminiRequest = {
  contents: [{ role: 'user', parts: [{ text: 'hi' }] }],
  systemInstruction: { role: 'user', parts: [{ text: 'Be brief.' }] },
  generationConfig: { temperature: 1, topP: 0.95, topK: 64, thinkingConfig: { includeThoughts: true } },
}

/** What Codex sends, but for its long instructions and most of its tools. */
const codexRequest = {
  stream: true,
  store: false,
  tool_choice: 'auto',
  parallel_tool_calls: true,
  reasoning: { summary: 'auto' },
  include: ['reasoning.encrypted_content'],
  prompt_cache_key: 'a-thread',
  client_metadata: {},
  input: ['developer', 'developer', 'user'].map((role, at) => ({
    type: 'message',
    id: `msg_${at}`,
    role,
    content: [{ type: 'input_text', text: 'hi' }],
  })),
  tools: [
    { type: 'function', name: 'exec_command', strict: false, parameters: { type: 'object', properties: {} } },
    { type: 'namespace', name: 'agents', tools: [{ type: 'function', name: 'wait', parameters: { type: 'object' } }] },
    { type: 'web_search', external_web_access: false },
  ],
}

const webSocket = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': btoa('0123456789abcdef'),
  'openai-beta': 'responses_websockets=2026-02-06',
}

/** As Ollama answers a whole chat. */
const ollamaAnswer = {
  model: 'llama3.2',
  created_at: '2026-01-01T00:00:00Z',
  message: { role: 'assistant', content: 'Hello' },
  done: true,
  done_reason: 'stop',
  prompt_eval_count: 3,
  eval_count: 2,
}

function python(version: RegExp): Runner {
  return ({ text, line }, title) => {
    test(`${title}: names the address and asks a model`, () => {
      expect(text).toContain(`"${address}/v1"`)
      expect(text).toMatch(
        /\.create\(model="[^"]+", (messages=\[\{"role": "user", "content": "[^"]+"\}\]|input="[^"]+")\)/,
      )
    })
    test(`${title}: the Python client is answered`, async ({ skip }) => {
      const interpreter = await findPython(version)
      if (!interpreter) return skip(`no Python with openai ${version}: SAMEWIRE_PYTHON names one`)
      const { stdout, stderr, code } = await run(interpreter, [await write(`snippet-${line}.py`, here(text))])
      expect({ code, stderr }).toMatchObject({ code: 0 })
      expect(stdout).toMatch(/\w/)
    })
  }
}

const isPicture = ({ language }: Snippet) => language === 'mermaid'

for (const snippet of snippets.filter((one) => !isPicture(one))) {
  const title = `${snippet.page} line ${snippet.line}, ${snippet.language}`
  const runner = Object.hasOwn(runners, snippet.kind ?? '') ? runners[snippet.kind ?? ''] : undefined
  if (runner) runner(snippet, title)
  else test(`${title}: has a way to be run`, () => expect(snippet.kind).toBe(Object.keys(runners).join(' or ')))
}

describe('The sources with what the README adds to them', () => {
  let upstream: FakeUpstream
  let grown: AssembledGateway
  const logged: string[] = []
  let now = 0

  beforeAll(async () => {
    upstream = await fakeUpstream()
    const house = await build(snippets)
    const config = {
      providers: {
        acme: { type: 'acme', baseURL: upstream.url, region: 'us' },
        lab: { type: 'openai-compatible', baseURL: upstream.url },
      },
      models: { m: 'acme/m', plain: 'lab/plain' },
      retries: 0,
    }
    const clock = { now: () => now, after: () => () => {} }
    const log = (message: string) => logged.push(message)
    grown = await startGateway(config, { env: { ACME_API_KEY: 'sk-acme-0123' }, ...house, clock, log })
  })
  afterAll(async () => {
    await grown?.stop()
    await upstream.close()
  })

  const send = (path: string, body: object) => {
    const headers = { 'content-type': 'application/json' }
    return grown.fetch(new Request(`http://localhost${path}`, { method: 'POST', headers, body: JSON.stringify(body) }))
  }
  const post = async (path: string, body: object) => {
    const response = await send(path, body)
    return { status: response.status, headers: response.headers, body: await response.json() }
  }

  test('pass the compiler, and have the provider', async () => {
    upstream.script(json(200, { result: chatAnswer('Hello from Acme', 'm') }))
    const { status, body } = await askWith(grown, 'm', { max_completion_tokens: 7 })
    expect([status, body]).toEqual([200, chatAnswer('Hello from Acme', 'm')])
    const [request] = upstream.seen
    expect(request?.path).toBe('/chat/completions')
    expect(request?.headers).toMatchObject({ 'x-acme-key': 'sk-acme-0123', 'x-acme-region': 'us' })
    const messages = [{ role: 'user', content: 'hi' }]
    expect(JSON.parse(request?.body ?? '')).toEqual({ model: 'm', messages, length: 7 })
    const lines = [{ text: 'Hel' }, { text: 'lo' }, { done: true }].map((line) => `${JSON.stringify(line)}\n`)
    upstream.script(stream(lines, 'end', 'application/x-ndjson'))
    const text = await (await send('/v1/chat/completions', chat('m', { stream: true }))).text()
    expect(wordsOf(text)).toBe('Hello')
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true)
    upstream.script(json(200, { result: chatAnswer('Hello from Acme', 'm') }))
    expect((await post('/v1/completions', { model: 'm', prompt: 'hi' })).body).toMatchObject({
      choices: [{ text: 'Hello from Acme' }],
    })
    upstream.script(json(404, { error: { message: 'm was withdrawn in May' } }))
    const gone = await askWith(grown, 'm')
    expect([gone.status, gone.headers.get('x-samewire-reason')]).toEqual([404, 'model_deprecated'])
  })

  test('have the operation', async () => {
    const counted = { count: 2, tokens: [1, 2] }
    upstream.script(json(200, counted), json(200, { data: [] }))
    const asked = { model: 'plain', prompt: 'two words' }
    expect(await post('/v1/tokenize', asked)).toMatchObject({ status: 200, body: counted })
    expect(upstream.seen.at(-1)?.path).toBe('/tokenize')
    expect(await post('/v1/tokenize', { model: 'plain' })).toMatchObject({
      status: 400,
      body: { error: { param: 'prompt' } },
    })
    const wrong = await post('/v1/tokenize', asked)
    expect(wrong).toMatchObject({ status: 502, body: { error: { message: 'lab sent an answer without tokens.' } } })
  })

  test('have the dialect', async () => {
    upstream.script(json(200, chatAnswer('42')))
    const answer = await post('/v1/ask', { model: 'plain', question: 'what?' })
    expect([answer.status, answer.body]).toEqual([200, { answer: '42' }])
    expect((await post('/v1/ask', { model: 'nope', question: 'x' })).body).toEqual({
      problem: 'The model `nope` does not exist or you do not have access to it.',
    })
  })

  test('have the policy', async () => {
    logged.length = 0
    upstream.script((seen, response, socket) => {
      now += 6_000
      return json(200, chatAnswer('late'))(seen, response, socket)
    })
    expect((await askWith(grown, 'plain')).status).toBe(200)
    expect(logged.join()).toMatch(/lab\/plain took 6000 ms/)
  })
})

test('a snippet that says nothing of how it is run is found', () => {
  expect(snippetsOf('```sh\nls\n```\n')).toMatchObject([{ language: 'sh', kind: undefined, text: 'ls\n' }])
})
