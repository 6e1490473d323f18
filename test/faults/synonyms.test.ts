import { describe, expect, it } from 'vitest'
import { chat } from '../support/ask.ts'
import { runtimes, serveBoth } from '../support/both.ts'
import { chatAnswer, json, type Script } from '../support/upstream.ts'

const ollamaAnswer = { model: 'm', message: { role: 'assistant', content: 'x' }, done: true, done_reason: 'stop' }

/** A server of OpenAI's format, or Ollama, that takes everything. */
const takesAll: Script = (request, ...rest) =>
  json(200, request.path === '/api/chat' ? ollamaAnswer : chatAnswer('x'))(request, ...rest)

/** OpenAI's reasoning models know a limit under its new name, and refuse both names at once. */
const wantsNewName: Script = (request, ...rest) => {
  const body = JSON.parse(request.body) as object
  const error = { type: 'invalid_request_error', param: 'max_tokens', code: 'unsupported_parameter' }
  const message =
    "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
  return 'max_tokens' in body
    ? json(400, { error: { message, ...error } })(request, ...rest)
    : json(200, chatAnswer('x'))(request, ...rest)
}

/** OpenAI's API, which knows `reasoning_effort` alone of all the names for thinking. */
const thinksByEffort: Script = (request, ...rest) => {
  const body = JSON.parse(request.body) as object
  const name = ['thinking', 'enable_thinking', 'thinking_budget', 'chat_template_kwargs', 'reasoning'].find(
    (one) => one in body,
  )
  const error = { type: 'invalid_request_error', param: name, code: 'unknown_parameter' }
  return name === undefined
    ? json(200, chatAnswer('x'))(request, ...rest)
    : json(400, { error: { message: `Unknown parameter: '${name}'.`, ...error } })(request, ...rest)
}

const tool = (name: string) => ({ type: 'function', function: { name } })

/** How each model is configured, by the name that the tests give it. */
const models = {
  limited: { overrides: { max_tokens: 100 } },
  'limited-new': { overrides: { max_completion_tokens: 100 } },
  'limited-ollama': { overrides: { num_predict: 100 } },
  'limited-option': { overrides: { options: { num_predict: 100, num_ctx: 512 } } },
  mild: { params: { max_completion_tokens: 100 } },
  'mild-option': { params: { options: { num_ctx: 4096 } } },
  roomy: { params: { num_ctx: 4096, temperature: 0.1 } },
  calm: { params: { think: false } },
  quiet: { overrides: { think: false } },
  'quiet-new': { overrides: { reasoning_effort: 'none' } },
  'quiet-object': { overrides: { thinking: { type: 'disabled' } } },
  'quiet-template': { overrides: { chat_template_kwargs: { enable_thinking: false } } },
  frugal: { overrides: { enable_thinking: true, thinking_budget: 100 } },
  'calm-template': { params: { chat_template_kwargs: { thinking: false } } },
  stopped: { overrides: { stop: ['END'] } },
  toolless: { overrides: { tool_choice: 'none' } },
  'tooled-ours': { overrides: { tools: [tool('ours')] } },
  'tooled-old': { overrides: { functions: [{ name: 'ours' }] } },
  'tooled-named': { overrides: { tool_choice: { type: 'function', function: { name: 'ours' } } } },
  'tooled-forced': { params: { tools: [tool('ours')] }, overrides: { function_call: { name: 'ours' } } },
  tooled: { params: { tools: [{ type: 'function', function: { name: 'ours' } }] } },
  fixed: { overrides: { seed: 7 } },
  worded: { overrides: { format: 'json' } },
  strict: { params: { max_tokens: 9 }, overrides: { max_completion_tokens: 5 } },
}

const of = (provider: string) =>
  Object.fromEntries(
    Object.entries(models).map(([name, config]) => [
      `${provider}-${name}`,
      { deployments: [{ model: `${provider}/${name}`, ...config }] },
    ]),
  )
const { upstream, both } = serveBoth(
  'synonyms',
  (url) => ({
    providers: {
      plain: { type: 'openai-compatible', baseURL: url },
      openai: { type: 'openai', baseURL: url, apiKey: 'env:KEY' },
      ollama: { type: 'ollama', baseURL: url },
      compat: { type: 'ollama', baseURL: url, api: 'openai' },
      tgi: { type: 'huggingface', endpointUrl: url, engine: 'tgi', apiKey: 'env:KEY' },
    },
    models: { ...of('plain'), ...of('openai'), ...of('ollama'), ...of('compat'), ...of('tgi') },
    retries: 0,
  }),
  { env: { KEY: 'sk-x' } },
)

describe.each(runtimes)('Fields that mean the same, on %s,', (runtime) => {
  /** What the upstream gets, without the model and the messages. */
  async function sent(model: string, more: object, script = takesAll): Promise<Record<string, unknown>> {
    upstream.script(script)
    const reply = await both.ask(runtime, chat(model, more))
    expect([reply.status, reply.text]).toEqual([200, expect.any(String)])
    const { model: _, messages: __, ...rest } = JSON.parse(upstream.seen.at(-1)?.body ?? '')
    return rest
  }

  it.each<[string, object, object]>([
    ['limited', { max_completion_tokens: 500 }, { max_tokens: 100 }],
    ['limited', { max_tokens: 500, max_completion_tokens: 500 }, { max_tokens: 100 }],
    ['limited', { max_new_tokens: 500, max_output_tokens: 5, n_predict: 5 }, { max_tokens: 100 }],
    ['limited', { options: { num_predict: 500, seed: 1 } }, { max_tokens: 100, options: { seed: 1 } }],
    ['limited', { options: { num_predict: 500 } }, { max_tokens: 100 }],
    ['limited-new', { max_tokens: 500 }, { max_completion_tokens: 100 }],
    [
      'limited-option',
      { num_ctx: 1, max_tokens: 5, seed: 1 },
      { options: { num_predict: 100, num_ctx: 512 }, seed: 1 },
    ],
    [
      'limited-option',
      { options: { num_ctx: 1, top_k: 2 } },
      { options: { top_k: 2, num_predict: 100, num_ctx: 512 } },
    ],
    ['quiet', { reasoning_effort: 'high' }, { think: false }],
    ['quiet', { reasoning: { effort: 'high', exclude: true } }, { think: false, reasoning: { exclude: true } }],
    ['quiet-new', { think: true, reasoning: { enabled: true } }, { reasoning_effort: 'none' }],
    ['quiet', { thinking: { type: 'enabled', budget_tokens: 2000 } }, { think: false }],
    ['quiet', { enable_thinking: true, thinking_budget: 500, seed: 1 }, { think: false, seed: 1 }],
    [
      'quiet',
      { chat_template_kwargs: { enable_thinking: true, thinking: true, date: 'x' } },
      { think: false, chat_template_kwargs: { date: 'x' } },
    ],
    ['quiet-object', { enable_thinking: true, reasoning: { max_tokens: 9 } }, { thinking: { type: 'disabled' } }],
    [
      'quiet-template',
      { reasoning_effort: 'high', chat_template_kwargs: { enable_thinking: true, date: 'x' } },
      { chat_template_kwargs: { enable_thinking: false, date: 'x' } },
    ],
    ['frugal', { thinking: { type: 'disabled' } }, { enable_thinking: true, thinking_budget: 100 }],
    ['stopped', { stop_sequences: ['\n'] }, { stop: ['END'] }],
    ['toolless', { tools: [], function_call: 'auto' }, { tools: [], tool_choice: 'none' }],
    ['fixed', { random_seed: 1, options: { seed: 1 } }, { seed: 7 }],
    ['strict', { max_tokens: 500 }, { max_completion_tokens: 5 }],
    ['strict', {}, { max_completion_tokens: 5 }],
  ])('are one where an override says one of them: %s %j', async (model, asked, wanted) => {
    expect(await sent(`plain-${model}`, asked)).toEqual(wanted)
  })

  it.each<[string, object, object]>([
    ['mild', { max_tokens: 500 }, { max_tokens: 500 }],
    ['mild', { options: { num_predict: 500 } }, { options: { num_predict: 500 } }],
    ['mild', {}, { max_completion_tokens: 100 }],
    ['mild', { max_tokens: null }, { max_completion_tokens: 100 }],
    ['roomy', { options: { num_ctx: 8192 } }, { temperature: 0.1, options: { num_ctx: 8192 } }],
    ['mild-option', { num_ctx: 8192 }, { num_ctx: 8192 }],
    ['mild-option', { options: { seed: 1 } }, { options: { seed: 1, num_ctx: 4096 } }],
    ['mild-option', { options: { num_ctx: 1 } }, { options: { num_ctx: 1 } }],
    ['calm', { reasoning_effort: 'high' }, { reasoning_effort: 'high' }],
    ['calm', { reasoning: { effort: 'low' } }, { reasoning: { effort: 'low' } }],
    ['calm', { reasoning: { exclude: true } }, { think: false, reasoning: { exclude: true } }],
    ['calm', { thinking: { type: 'enabled', budget_tokens: 9 } }, { thinking: { type: 'enabled', budget_tokens: 9 } }],
    ['calm', { thinking_budget: 500 }, { thinking_budget: 500 }],
    ['calm', { chat_template_kwargs: { thinking: true } }, { chat_template_kwargs: { thinking: true } }],
    ['calm-template', { enable_thinking: true }, { enable_thinking: true }],
    [
      'calm-template',
      { chat_template_kwargs: { date: 'x' } },
      { chat_template_kwargs: { date: 'x', thinking: false } },
    ],
    ['tooled', { functions: [{ name: 'theirs' }] }, { functions: [{ name: 'theirs' }] }],
  ])('are left to the client where the configuration has a default: %s %j', async (model, asked, wanted) => {
    expect(await sent(`plain-${model}`, asked)).toEqual(wanted)
  })

  it.each<[string, object, object]>([
    ['limited', { max_completion_tokens: 500 }, { options: { num_predict: 100 } }],
    ['limited', { options: { num_predict: 500, max_tokens: 500 } }, { options: { num_predict: 100 } }],
    ['limited-option', { max_tokens: 500 }, { options: { num_predict: 100, num_ctx: 512 } }],
    ['mild', { max_tokens: -1 }, { options: { num_predict: -1 } }],
    ['mild', { max_output_tokens: 7 }, { options: { num_predict: 7 } }],
    ['mild', { options: { num_predict: 7 } }, { options: { num_predict: 7 } }],
    ['roomy', { options: { num_ctx: 8192 }, temperature: 1 }, { options: { num_ctx: 8192, temperature: 1 } }],
    ['calm', { reasoning_effort: 'high' }, { think: 'high' }],
    ['calm', {}, { think: false }],
    ['quiet-new', { think: true }, { think: false }],
    ['quiet-new', { thinking: { type: 'enabled' } }, { think: false }],
    ['quiet-template', { think: true }, { think: false }],
    ['mild', { thinking: { type: 'disabled' } }, { think: false }],
    ['mild', { enable_thinking: true }, { think: true }],
    ['mild', { chat_template_kwargs: { thinking: false } }, { think: false }],
    ['mild', { reasoning: { effort: 'xhigh', exclude: true } }, { think: 'max' }],
    ['fixed', { random_seed: 1 }, { options: { seed: 7 } }],
    ['mild', { random_seed: 1 }, { options: { seed: 1 } }],
    ['worded', { response_format: { type: 'json_schema', json_schema: { schema: {} } } }, { format: 'json' }],
    ['stopped', { options: { stop: 'x' } }, { options: { stop: ['END'] } }],
  ])('go to Ollama as its options: %s %j', async (model, asked, wanted) => {
    const { stream, ...rest } = await sent(`ollama-${model}`, asked)
    expect(stream).toBe(false)
    expect(rest).toMatchObject(wanted)
    expect(Object.keys(rest)).toEqual(expect.arrayContaining(Object.keys(wanted)))
    for (const name of ['max_tokens', 'max_completion_tokens', 'reasoning_effort', 'thinking', 'enable_thinking'])
      expect(rest).not.toHaveProperty(name)
  })

  const ours = { tools: [tool('ours')] }
  /** Its answer becomes one call of a function. */
  const single = { ...ours, parallel_tool_calls: false }
  const oldOurs = { functions: [{ name: 'ours' }] }
  const functions = [{ name: 'theirs' }]
  const tools = [tool('theirs')]
  it.each<[string, object, object]>([
    ['tooled-ours', { functions, function_call: 'none' }, { ...single, tool_choice: 'none' }],
    ['tooled-ours', { functions, function_call: { name: 'ours' } }, { ...single, tool_choice: tool('ours') }],
    // Servers refuse a choice that is not in the list.
    ['tooled-ours', { functions, function_call: { name: 'theirs' } }, single],
    [
      'tooled-ours',
      { tools, tool_choice: tool('theirs'), parallel_tool_calls: false },
      { ...ours, parallel_tool_calls: false },
    ],
    ['tooled-ours', { tools, tool_choice: 'required', function_call: 'auto' }, { ...ours, tool_choice: 'required' }],
    ['tooled-ours', { function_call: null }, ours],
    ['tooled-old', { tools, tool_choice: 'auto', parallel_tool_calls: true }, { ...oldOurs, function_call: 'auto' }],
    ['tooled-old', { ...ours, tool_choice: tool('ours') }, { ...oldOurs, function_call: { name: 'ours' } }],
    ['tooled-old', { ...ours, tool_choice: 'required' }, oldOurs],
    ['tooled-named', { ...oldOurs, function_call: 'auto' }, { ...oldOurs, function_call: { name: 'ours' } }],
    ['tooled-named', { functions, function_call: 'auto' }, { functions }],
    ['tooled-named', { ...ours, tool_choice: 'auto' }, { ...ours, tool_choice: tool('ours') }],
    ['tooled-named', {}, {}],
    ['tooled-forced', {}, { ...ours, tool_choice: tool('ours') }],
    ['toolless', {}, {}],
    ['toolless', { functions, function_call: 'auto' }, { functions, function_call: 'none' }],
  ])('go up as fields that belong together where tools are configured: %s %j', async (model, asked, wanted) => {
    expect(await sent(`plain-${model}`, asked)).toEqual(wanted)
  })

  it('are left as they are, however they fit, where no tools are configured', async () => {
    const mixed = { tools, function_call: 'auto', functions, tool_choice: null }
    expect(await sent('plain-fixed', mixed)).toEqual({ ...mixed, seed: 7 })
    const odd = { functions, tool_choice: 'auto' }
    expect(await sent('plain-tooled', odd)).toEqual(odd)
  })

  it('offer no tools to Ollama where the configuration forbids them under the new name', async () => {
    const more = { functions: [{ name: 'f', parameters: {} }], function_call: 'auto' }
    expect(await sent('ollama-toolless', more)).not.toHaveProperty('tools')
  })

  it.each<[string, object, object]>([
    ['compat-limited-ollama', { max_completion_tokens: 500 }, { max_tokens: 100 }],
    ['compat-quiet', { reasoning_effort: 'high' }, { reasoning_effort: 'none', max_tokens: 16384 }],
    ['compat-fixed', { enable_thinking: false }, { reasoning_effort: 'none', seed: 7, max_tokens: 16384 }],
    ['tgi-limited-new', { max_tokens: 500 }, { max_tokens: 100 }],
    ['tgi-limited-ollama', { max_completion_tokens: 500 }, { max_tokens: 100 }],
    ['tgi-mild', { max_new_tokens: 7, stop_sequences: ['x'] }, { max_tokens: 7, stop: ['x'] }],
  ])('go up under the one name that the server knows: %s %j', async (model, asked, wanted) => {
    expect(await sent(model, asked)).toEqual(wanted)
  })

  it('are not sent twice to a model that refuses one of the names', async () => {
    for (const asked of [{ max_completion_tokens: 500 }, { max_tokens: 500 }, {}]) {
      expect(await sent('openai-limited', asked, wantsNewName)).toEqual({ max_completion_tokens: 100 })
    }
    expect(await sent('openai-mild', { max_tokens: 500 }, wantsNewName)).toEqual({ max_completion_tokens: 500 })
    const twice = { max_tokens: 5, max_completion_tokens: 6 }
    expect(await sent('openai-mild', twice, wantsNewName)).toEqual({ max_completion_tokens: 6 })
  })

  it.each<[object, string]>([
    [{ thinking: { type: 'disabled' } }, 'none'],
    [{ thinking: { type: 'enabled' } }, 'medium'],
    [{ thinking: { type: 'disabled' }, enable_thinking: false }, 'none'],
    [{ chat_template_kwargs: { enable_thinking: false } }, 'none'],
    [{ reasoning: { effort: 'low' } }, 'low'],
    [{ thinking: { type: 'enabled', budget_tokens: 9 }, reasoning_effort: 'high' }, 'high'],
  ])('are said in the words of a model that refuses others: %j', async (asked, effort) => {
    expect(await sent('openai/words', asked, thinksByEffort)).toEqual({ reasoning_effort: effort })
  })

  it.each([
    { thinking: { type: 'enabled', budget_tokens: 2000 } },
    { thinking: { type: 'adaptive' } },
    { thinking_budget: 500 },
    { reasoning: { effort: 'low', exclude: true } },
    { chat_template_kwargs: { enable_thinking: false, date: 'x' } },
  ])('stay as they are where another name can’t say the same: %j', async (asked) => {
    upstream.script(thinksByEffort)
    const before = upstream.seen.length
    const reply = await both.ask(runtime, chat('openai/words', asked))
    expect([reply.status, reply.text]).toEqual([400, expect.stringContaining(`'${Object.keys(asked)[0]}'`)])
    const tried = upstream.seen.slice(before).map(({ body }) => JSON.parse(body))
    expect(tried).toEqual([expect.objectContaining(asked)])
  })

  it('pass as they are where the configuration says nothing about them', async () => {
    upstream.script(takesAll)
    const body = (model: string) =>
      `{"model":"${model}", "messages":[{"role":"user","content":"max_tokens"}],"max_tokens":1e1,"max_completion_tokens":null,` +
      '"options":{"num_predict":5},"num_predict":9007199254740993, "think":true,"reasoning_effort":"low","stop":null,"stop_sequences":["x"]}'
    await both.ask(runtime, body('plain/any'))
    expect(upstream.seen.at(-1)?.body).toBe(body('any'))
    await both.ask(runtime, body('plain-tooled'))
    expect(upstream.seen.at(-1)?.body).toContain(body('tooled').slice(1))
  })

  it('are told from others in a large request too, whose texts stay as they are', async () => {
    const long = 'é"max_tokens": 7'.repeat(4000)
    const messages = [{ role: 'user', content: long }]
    expect(await sent('plain-limited', { messages, options: { stop: [long], num_predict: 5 } })).toEqual({
      max_tokens: 100,
      options: { stop: [long] },
    })
    expect(JSON.parse(upstream.seen.at(-1)?.body ?? '').messages).toEqual(messages)
  })
})
