import { describe, expect, it } from 'vitest'
import { runtimes, serveBoth } from '../support/both.ts'
import { askOllama, joinedLines, type Line, linesOf } from '../support/ollama.ts'
import { type Recorded, recorded, recordedCase, replay } from '../support/replay.ts'

const { upstream, both } = serveBoth('ollama-recorded', (url) => ({
  providers: {
    local: { type: 'ollama', baseURL: url },
    translated: { type: 'ollama', baseURL: url, api: 'openai' },
  },
}))

const isInference = ({ request }: Recorded) => /^\/api\/(chat|generate|embed|embeddings)$/.test(request.path)
const answered = recorded('ollama-0.32.15-native').filter(
  (one) => isInference(one) && one.response.status === 200 && one.request.body !== null,
)
const isStream = ({ response }: Recorded) => /ndjson/.test(response.headers['content-type'] ?? '')
const wantsStream = ({ request: { path, body } }: Recorded) =>
  /chat|generate/.test(path) && (body as { stream?: boolean }).stream !== false
const ask = (runtime: (typeof runtimes)[number], { request }: Recorded, provider: string) =>
  askOllama(both, runtime, request.path, { ...(request.body as object), model: `${provider}/tiny-chat` })

describe.each(runtimes)('On %s, a recorded answer of Ollama', (runtime) => {
  it('is there in number', () => {
    expect(answered.length).toBeGreaterThan(25)
  })

  it.each(answered.map((one) => [one.label, one] as const))('goes out byte for byte: %s', async (_label, one) => {
    upstream.script(replay(one))
    const reply = await ask(runtime, one, 'local')
    // Ollama answers a request without messages whole, although a stream is asked for.
    const isOneLine = wantsStream(one) && !isStream(one)
    expect(reply.text).toBe(one.response.body + (isOneLine ? '\n' : ''))
    const seen = upstream.seen.at(-1)
    expect(seen?.path).toBe(one.request.path)
    expect(JSON.parse(seen?.body ?? '')).toEqual({ ...(one.request.body as object), model: 'tiny-chat' })
    expect(reply.type).toBe(wantsStream(one) ? 'application/x-ndjson' : 'application/json')
  })

  it.each(['err_model', 'err_context'])('that is a refusal keeps its status and form: %s', async (label) => {
    const one = recordedCase('ollama-0.32.15-native', label)
    upstream.script(replay(one))
    const reply = await ask(runtime, one, 'local')
    expect(reply.status).toBe(one.response.status)
    expect(JSON.parse(reply.text)).toEqual({ error: expect.any(String) })
    if (label === 'err_model') expect(reply.text).toBe(`{"error":"model 'local/tiny-chat' not found"}`)
  })
})

/** What both have recorded: the same question to Ollama's own API and to its `/v1`. */
const pairs = [
  ...['chat', 'chat_stream', 'chat_length', 'chat_length_stream', 'chat_tool', 'chat_tool_stream'],
  ...['chat_tool_parallel', 'chat_tool_parallel_stream', 'chat_tool_result', 'chat_tool_result_stream'],
  ...['chat_logprobs', 'chat_logprobs_stream', 'chat_json_schema', 'chat_json_schema_stream'],
].map((label) => [label, label] as const)
const all = [...pairs, ['chat_think', 'chat_reasoning'], ['chat_think_stream', 'chat_reasoning_stream']] as const

/** Values that differ from run to run, and ids, by their types. */
function shapeOf(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return value.map((one) => shapeOf(one))
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, its]) => [name, shapeOf(its, name)]))
  }
  return /^(id|created_at|(\w+_)?duration|logprob)$/.test(key) ? typeof value : value
}

describe.each(runtimes)('On %s, what Ollama’s /v1 says, in Ollama’s own API', (runtime) => {
  const labels = new Set(recorded('ollama-0.32.15-native').map(({ label }) => label))

  it.each(all.filter(([label]) => labels.has(label)))('is what its own API says: %s', async (label, chat) => {
    const own = recordedCase('ollama-0.32.15-native', label)
    upstream.script(replay(recordedCase('ollama-0.32.15-v1', chat)))
    const reply = await ask(runtime, own, 'translated')
    expect(upstream.seen.at(-1)?.path).toBe('/v1/chat/completions')
    const read = (text: string): Line => (isStream(own) ? joinedLines(linesOf(text)) : (JSON.parse(text) as Line))
    expect(shapeOf(read(reply.text))).toEqual(shapeOf(read(own.response.body)))
    if (isStream(own)) {
      const keys = (text: string) => new Set(linesOf(text).map((line) => Object.keys(line).sort().join()))
      expect([...keys(own.response.body)].filter((one) => !keys(reply.text).has(one))).toEqual([])
    }
  })
})
