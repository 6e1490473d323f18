import { describe, expect, it } from 'vitest'
import { ask, chat, expectBrokenOff, hastyClock, noLists, open, seeded, until } from '../support/ask.ts'
import {
  answering,
  awkward,
  cutAt,
  finishStart,
  firstContentEnd,
  framesOf,
  prompt,
  readStream,
  tokensOf,
  ways,
} from '../support/continuing.ts'
import { duringTests } from '../support/during-tests.ts'
import { ManualClock, serveUpstreams, startGateway } from '../support/gateway.ts'
import { chunk, json, reset, type Script, stream, tokenLogprobs } from '../support/upstream.ts'

const type = 'openai-compatible'
const text = awkward
const { broken, exact, trimming } = serveUpstreams({
  broken: undefined,
  exact: answering({ text }),
  trimming: answering({ text, trims: true }),
})

/** The first deployment gets every request, since the others have no weight. */
const first = { model: 'broken/m', weight: 1 }
const config = (): Parameters<typeof startGateway>[0] => ({
  // Each break is to be met, not the cooldown after it.
  cooldown: false,
  providers: {
    broken: { type, baseURL: broken.url },
    exact: { type, baseURL: exact.url, continues: 'llamacpp' },
    trimming: { type, baseURL: trimming.url, continues: 'vllm' },
  },
  models: {
    m: { deployments: [first, { model: 'exact/m', weight: 0 }], resume: true },
    trimmed: { deployments: [first, { model: 'trimming/m', weight: 0 }], resume: true },
    plain: { deployments: [first, { model: 'exact/m', weight: 0 }] },
    alone: { deployments: ['broken/m'], resume: true },
    tagged: { deployments: [first, { model: 'exact/m', weight: 0 }], resume: true, thinkTags: false },
    itself: { deployments: ['exact/m'], resume: true },
    three: { deployments: [first, { model: 'exact/m', weight: 0 }], fallbacks: ['trimming/m'], resume: true },
  },
})

const gateway = duringTests(() => startGateway(config(), { services: noLists, clock: hastyClock() }))

const wanting = { stream: true, stream_options: { include_usage: true } }
const chatting = (model: string, more: object = {}) => chat(model, { ...wanting, ...more })
const completing = (model: string, more: object = {}) => ({ model, prompt, max_tokens: 500, ...wanting, ...more })
const frames = framesOf(chatting('m'), { text })
/** The byte in the middle of a stream at which an event begins. */
const middleOf = (whole: string) => Buffer.byteLength(whole.slice(0, whole.indexOf('data: ', whole.length / 2)))
const middle = middleOf(frames)

async function streamed(body: object, path?: string): Promise<string> {
  const reply = await ask(gateway, body, path ? { path } : {})
  expect(reply.status).toBe(200)
  return reply.text
}

describe('A stream that breaks off, of a model with `resume`', () => {
  it.each([
    ['chat', chatting, '/chat/completions', 'm'],
    ['chat whose template trims', chatting, '/chat/completions', 'trimmed'],
    ['completion', completing, '/completions', 'm'],
  ] as const)('is continued where it was cut, at any byte: a %s', async (_what, ask_, path, model) => {
    const random = seeded(7)
    const whole = framesOf(ask_(model), { text })
    const { continued: _, ...expected } = readStream(whole)
    const [start, end] = [firstContentEnd(whole), finishStart(whole)]
    for (let i = 0; i < 40; i++) {
      const at = start + Math.floor(random() * (end - start))
      broken.script(cutAt(whole, at, ways[i % ways.length] ?? 'close'))
      const { continued, ...got } = readStream(await streamed(ask_(model), path))
      expect({ at, ...got }).toEqual({ at, ...expected, usage: got.usage })
      expect(continued).toEqual([model === 'm' ? 'exact/m' : 'trimming/m'])
    }
  })

  it('ends with the usage of both parts', async () => {
    broken.script(cutAt(frames, middle, 'close'))
    const [usage] = readStream(await streamed(chatting('m'))).usage
    const said = tokensOf(text).length
    expect(usage).toEqual({ prompt_tokens: 7, completion_tokens: said, total_tokens: 7 + said })
  })

  it('counts against the limit what was there already, and finishes as it would have', async () => {
    const limited = chatting('m', { max_tokens: 30 })
    const whole = framesOf(limited, { text })
    broken.script(cutAt(whole, firstContentEnd(whole) + 900, 'close'))
    const { text: got, finishes } = readStream(await streamed(limited))
    expect([got, finishes]).toEqual([tokensOf(text).slice(0, 30).join(''), ['length']])
  })

  it('asks for the rest with the text so far as the last message, and no half character', async () => {
    const at = Buffer.byteLength(frames.slice(0, frames.indexOf('深')))
    broken.script(cutAt(frames, at + 1, 'close'))
    await streamed(chatting('m'))
    const asked = JSON.parse(exact.seen[0]?.body ?? '') as { messages: object[] }
    expect(asked).toMatchObject({ model: 'm', continue_final_message: true, echo: false })
    expect(asked.messages).toEqual([
      { role: 'user', content: 'hi' },
      { role: 'assistant', content: text.slice(0, text.indexOf(' 深')) },
    ])
  })

  it.each<[string, object, object]>([
    ['vllm', { type: 'vllm' }, { continue_final_message: true, add_generation_prompt: false }],
    ['llamacpp', { type: 'llamacpp' }, { continue_final_message: true, add_generation_prompt: false, echo: false }],
    ['SGLang', { type, continues: 'sglang' }, { continue_final_message: true }],
    ['TGI', { type: 'huggingface', engine: 'tgi' }, { continue_final_message: true }],
    ['Ollama', { type: 'ollama', continues: 'chat' }, { options: { num_predict: 14 } }],
  ])('asks each kind of server in its own way: %s', async (name, provider, fields) => {
    exact.script(json(400, { error: 'no' }))
    const address = name === 'TGI' ? { endpointUrl: exact.url, apiKey: 'env:KEY' } : { baseURL: exact.url }
    const providers = { broken: { type, baseURL: broken.url }, p: { ...provider, ...address } }
    const models = { m: { deployments: [first, { model: 'p/m', weight: 0 }], resume: true } }
    const one = await startGateway({ providers, models } as never, { services: noLists, env: { KEY: 'hf_x' } })
    const at = Buffer.byteLength(frames.slice(0, frames.indexOf('data: ', frames.indexOf('Köln'))))
    broken.script(cutAt(frames, at, 'close'))
    expectBrokenOff((await ask(one, chatting('m', { max_tokens: 18 }))).text)
    const asked = JSON.parse(exact.seen.at(-1)?.body ?? '')
    expect(asked).toMatchObject(fields)
    expect(asked.messages.at(-1)).toEqual({ role: 'assistant', content: 'Grüße aus Köln' })
    expect(asked.max_tokens ?? asked.options.num_predict).toBe(18 - tokensOf('Grüße aus Köln').length)
    await one.close()
  })

  it('is continued by the deployment that broke off if no other can', async () => {
    exact.script(cutAt(frames, middle, 'end'), answering({ text }))
    const got = readStream(await streamed(chatting('itself')))
    expect([got.text, got.finishes, got.continued]).toEqual([text, ['stop'], ['exact/m']])
  })

  it('is continued twice, and a third failure is its error', async () => {
    broken.script(cutAt(frames, middle, 'close'))
    const more: Script = ({ body }, response, socket) => {
      const rest = framesOf(JSON.parse(body), { text })
      return cutAt(rest, firstContentEnd(rest), 'close')({ body } as never, response, socket)
    }
    exact.script(more, answering({ text }))
    const got = readStream(await streamed(chatting('m')))
    expect([got.text, got.continued]).toEqual([text, ['exact/m', 'exact/m']])
    exact.script(more)
    exact.seen.length = 0
    const given = await streamed(chatting('m'))
    expect(expectBrokenOff(given)).toMatchObject({ code: 'upstream_stream_truncated' })
    expect(text.startsWith(readStream(given).text)).toBe(true)
    expect(exact.seen).toHaveLength(2)
  })

  it('goes to the next deployment if one fails to continue it', async () => {
    broken.script(cutAt(frames, middle, 'close'))
    exact.script(json(400, { error: { message: 'Assistant response prefill is incompatible with enable_thinking.' } }))
    const got = readStream(await streamed(chatting('three')))
    expect([got.text, got.continued]).toEqual([text, ['trimming/m']])
  })

  it('is continued after a silence too', async () => {
    const clock = new ManualClock()
    const patient = await startGateway({ ...config(), idleTimeout: 60, keepAlive: 600 }, { clock, services: noLists })
    broken.script(stream([Buffer.from(frames).subarray(0, middle)], 'silence'))
    const response = await open(patient, chatting('m'))
    const given = response.text()
    for (let i = 0; i < 6; i++) {
      await until(() => clock.waiting > 0)
      clock.advance(15_000)
    }
    expect(readStream(await given)).toMatchObject({ text, finishes: ['stop'], ends: 1 })
    await patient.close()
  })

  it('tells the log who continued it', async () => {
    broken.script(cutAt(frames, middle, 'close'))
    await streamed(chatting('m'))
    expect(gateway.logged.at(-1)).toMatch(/^req_\w+ broken\/m: continued by exact\/m$/)
  })

  it('stops whoever writes when its client leaves', async () => {
    broken.script(cutAt(frames, middle, 'close'))
    const begun = chunk({ role: 'assistant' }) + chunk({ content: ' and' })
    exact.script(stream([begun], 'silence'))
    const leaving = new AbortController()
    const response = await open(gateway, chatting('m'), { signal: leaving.signal })
    const reader = response.body?.getReader()
    const decoder = new TextDecoder()
    let got = ''
    while (!got.includes('continued')) got += decoder.decode((await reader?.read())?.value, { stream: true })
    leaving.abort()
    await exact.seen[0]?.abandoned
  })
})

const called = { index: 0, id: 'c', type: 'function', function: { name: 'f', arguments: '{"a' } }

describe("A stream that can't be continued exactly", () => {
  async function refused(body: object, whole = frames, at = middleOf(whole), path?: string): Promise<void> {
    broken.script(cutAt(whole, at, 'close'))
    const given = await streamed(body, path)
    expectBrokenOff(given)
    const sent = Buffer.from(whole).subarray(0, at).toString()
    expect(readStream(given).text).toBe(readStream(sent.slice(0, sent.lastIndexOf('\n\n') + 2)).text)
  }

  it('ends with an error without `resume`, and where no deployment is known to continue', async () => {
    await refused(chatting('plain'))
    await refused(chatting('alone'))
    expect(exact.seen).toEqual([])
  })

  it.each<[string, object]>([
    ['tools', { tools: [{ type: 'function', function: { name: 'f' } }] }],
    ['JSON mode', { response_format: { type: 'json_object' } }],
    ['several answers', { n: 2 }],
    ['a limit that is reached', { max_tokens: 5 }],
    ['a stop that may have begun', { stop: ['never', `${text.slice(0, 3)}…`, '…\n\n`'] }],
    ['penalties for what it said', { frequency_penalty: 0.5 }],
    ['a last message of the assistant', { messages: [{ role: 'assistant', content: 'G' }] }],
  ])('ends with an error: the request has %s', async (_what, more) => {
    const at = Buffer.byteLength(frames.slice(0, frames.indexOf('data: ', frames.indexOf('…'))))
    await refused(chatting('m', more), frames, at)
    expect(exact.seen).toEqual([])
  })

  it('ends with an error: the request has log probabilities', async () => {
    const told = `"logprobs":${JSON.stringify(tokenLogprobs('x'))},"finish_reason":null`
    await refused(chatting('m', { logprobs: true }), frames.replaceAll('"finish_reason":null', told))
    expect(exact.seen).toEqual([])
  })

  it('ends with an error: it broke off within an emoji', async () => {
    const role = chunk({ role: 'assistant', content: '' })
    const half = chunk({ content: 'ok @' }).replace('@', '\\ud83d')
    broken.script(stream([role, half], 'reset'))
    const given = await streamed(chatting('m'))
    expectBrokenOff(given)
    expect(exact.seen).toEqual([])
    expect(gateway.logged.join('\n')).toContain('not continued (half a character)')
  })

  it.each<[string, object]>([
    ['a list of prompts', { prompt: [prompt, prompt] }],
    ['no limit, which servers fill in', { max_tokens: undefined }],
    ['its prompt repeated', { echo: true }],
  ])('ends with an error: a completion with %s', async (_what, more) => {
    const whole = framesOf(completing('m'), { text })
    await refused(completing('m', more), whole, middleOf(whole), '/completions')
    expect(exact.seen).toEqual([])
  })

  it.each([
    ['m', ''],
    ['tagged', '<think>A'],
  ])('ends with an error: it has reasoning in its text so far, read or not (%s)', async (model, text) => {
    const pieces = [chunk({ role: 'assistant', content: '<think>' }), chunk({ content: 'A' })]
    broken.script(cutAt(pieces.join(''), Number.POSITIVE_INFINITY, 'close'))
    const given = await streamed(chatting(model))
    expect(readStream(given)).toMatchObject({ text, ends: 0, continued: [] })
    expect(exact.seen).toEqual([])
  })

  it.each<[string, string[]]>([
    ['reasoning', [chunk({ role: 'assistant', reasoning_content: 'Hm' }), chunk({ content: 'A' })]],
    ['a tool call', [chunk({ role: 'assistant', content: 'A' }), chunk({ tool_calls: [called] })]],
    ['a finish', [chunk({ role: 'assistant', content: 'A' }), chunk({}, 'stop')]],
  ])('ends with an error: it has %s so far', async (_what, pieces) => {
    broken.script(cutAt(pieces.join(''), Number.POSITIVE_INFINITY, 'close'))
    const given = await streamed(chatting('m'))
    expect(readStream(given)).toMatchObject({ text: readStream(pieces.join('')).text, ends: 0, continued: [] })
    expect(given).toContain('"error"')
    expect(exact.seen).toEqual([])
  })

  it('ends with an error when white space before it would be lost to a template', async () => {
    const spaced = ` ${text}`
    await refused(chatting('trimmed'), framesOf(chatting('m'), { text: spaced }))
    expect(trimming.seen).toEqual([])
  })

  it.each<[string, Script]>([
    ['does not repeat the white space that it lost', stream([chunk({ content: 'no' }), chunk({}, 'stop')])],
    ['finishes before', stream([chunk({}, 'stop'), 'data: [DONE]\n\n'])],
    [
      'goes on with reasoning',
      stream([chunk({ reasoning_content: 'Hm' }), chunk({ content: '\n\n' }), chunk({}, 'stop')]),
    ],
    ["can't be reached", reset],
  ])('ends with an error, after two tries, when the next deployment %s', async (_how, script) => {
    const at = Buffer.byteLength(frames.slice(0, frames.indexOf('data: ', frames.indexOf('\\n\\n'))))
    trimming.script(script)
    await refused(chatting('trimmed'), frames, at)
    trimming.script(answering({ text, trims: true }))
    expect(trimming.seen.length).toBeGreaterThan(0)
  })
})
