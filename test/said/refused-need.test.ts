import { describe, expect, it } from 'vitest'
import { chat } from '../support/ask.ts'
import { runtimes } from '../support/both.ts'
import { expectStandIn, expectTold, servePair } from '../support/said.ts'
import { chatAnswer, json } from '../support/upstream.ts'

const pair = servePair('said-refused-need')

const error = (message: string, more: object = {}) => ({ error: { message, ...more } })

const tools = { tools: [{ type: 'function', function: { name: 'f', parameters: {} } }] }
const image = { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:,' } }] }] }
const schema = { response_format: { type: 'json_schema', json_schema: { name: 'x', schema: {} } } }
const plainJSON = { response_format: { type: 'json_object' } }
const mustCall = { ...tools, tool_choice: 'required' }

const sayings: readonly [server: string, asked: object, param: string | null, status: number, body: unknown][] = [
  // BerriAI/litellm#7785, #38265
  [
    'LiteLLM',
    tools,
    'tools',
    400,
    error("litellm.UnsupportedParamsError: together_ai does not support parameters: ['tools'], for model=Qwen/Qwen3", {
      type: 'None',
      param: null,
      code: '400',
    }),
  ],
  ['Fireworks', tools, 'tools', 400, error('tools is not supported in this model. See the list of models.')],
  ['Mistral', tools, 'tools', 400, { message: 'Function calling is not enabled for this model', code: 3000 }],
  ['Mistral', tools, 'tools', 400, { message: 'The tokenizers do not support tools.', code: 3000 }],
  [
    'OpenAI',
    tools,
    'tools',
    400,
    error("Unsupported parameter: 'tools' is not supported with this model.", {
      type: 'invalid_request_error',
      param: 'tools',
      code: 'unsupported_parameter',
    }),
  ],
  // runpod-workers/worker-vllm#85
  [
    'vLLM',
    tools,
    'tools',
    400,
    {
      object: 'error',
      message:
        "2 validation errors for ChatCompletionRequest\ntool_choice\n  Extra inputs are not permitted [type=extra_forbidden, input_value='auto', input_type=str]\ntools\n  Extra inputs are not permitted [type=extra_forbidden, input_value=[], input_type=list]",
      type: 'BadRequestError',
      code: 400,
    },
  ],
  // BerriAI/litellm#14704
  [
    'LiteLLM',
    mustCall,
    'tool_choice',
    400,
    error("UnsupportedParamsError: azure does not support parameters: ['tool_choice'], for model=gpt-5-chat."),
  ],
  [
    'OpenAI',
    mustCall,
    'tool_choice',
    400,
    error("Unsupported value: 'tool_choice' does not support 'required' with this model.", {
      param: 'tool_choice',
      code: 'unsupported_value',
    }),
  ],
  // LoadShine/tada#16
  ['LM Studio', plainJSON, 'response_format', 400, { error: "'response_format.type' must be 'json_schema' or 'text'" }],
  ['another', schema, 'response_format', 400, error('response_format is not supported')],
  // ggml-org/llama.cpp#12947
  [
    'llama.cpp',
    image,
    'messages',
    500,
    error('Failed to parse messages: Unsupported content part type: "image_url"; messages = [\n {}\n]', { code: 500 }),
  ],
  // earendil-works/pi#8960
  [
    'AWS Bedrock',
    image,
    'messages',
    400,
    { message: "Validation error: This model doesn't support the image field for user messages. Remove image." },
  ],
]

/** Fields that only some models take, with the words of a model that doesn't. */
const optional: readonly [field: string, value: unknown][] = [
  ['temperature', 0.2],
  ['top_p', 0.5],
  ['stop', 'x'],
  ['logprobs', true],
  ['logit_bias', { 5: 1 }],
  ['presence_penalty', 1],
  ['top_k', 5],
  ['reasoning_effort', 'high'],
  ['prediction', { type: 'content', content: 'x' }],
  ['modalities', ['text', 'audio']],
  ['web_search_options', {}],
]
const refusals: readonly [how: string, status: number, said: (field: string) => unknown][] = [
  [
    'OpenAI',
    400,
    (param) =>
      error(`Unsupported parameter: '${param}' is not supported with this model.`, {
        type: 'invalid_request_error',
        param,
        code: 'unsupported_parameter',
      }),
  ],
  [
    'pydantic',
    422,
    (field) => ({
      detail: [{ type: 'extra_forbidden', loc: ['body', field], msg: 'Extra inputs are not permitted', input: 1 }],
    }),
  ],
  ['another, under 500', 500, (field) => error(`The parameter '${field}' is not supported by this model`)],
]
const rows = refusals.flatMap(([how, status, said]) =>
  optional.map(([field, value]) => [how, field, status, said(field), value] as const),
)

/** What is wrong with the request itself, wherever it is sent. */
const faults: readonly [server: string, message: string, more?: object][] = [
  ['OpenAI', "Invalid schema for function 'f': 'strig' is not valid under any of the given schemas."],
  ['OpenAI', "Unknown parameter: 'tools[0].function.strct'.", { code: 'unknown_parameter', param: 'tools[0]' }],
  ['OpenAI', "Missing required parameter: 'tools[0].function'."],
  ['OpenAI', "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified."],
  ['Anthropic', 'tools.0.custom.input_schema.strct: Extra inputs are not permitted'],
  ['vLLM', '1 validation error\ntools.0.function.strct\n  Extra inputs are not permitted [type=extra_forbidden]'],
]

describe.each(runtimes)('A field that a request can’t do without, on %s', (runtime) => {
  it.each(sayings)('is served elsewhere where it is refused: %s %j', async (_server, asked, param, status, body) => {
    expectStandIn(await pair.withFallback(runtime, json(status, body), asked))
    const told = expectTold(await pair.alone(runtime, json(status, body), asked), 400, 'unsupported_parameter')
    expect(told.param).toBe(param)
  })

  it.each(rows)('is served elsewhere, whichever it is: %s, %s, HTTP %i', async (_how, field, status, said, value) => {
    expectStandIn(await pair.withFallback(runtime, json(status, said), { [field]: value }))
    const alone = await pair.alone(runtime, json(status, said), { [field]: value })
    expect(expectTold(alone, 400, 'unsupported_parameter').param).toBe(field)
  })

  it.each([
    [
      { temperature: 0.2 },
      "Unsupported value: 'temperature' does not support 0.2 with this model. Only the default (1) value is supported.",
      'temperature',
    ],
    [{ reasoning_effort: 'high' }, '"x" does not support thinking', 'reasoning_effort'],
  ])('is served elsewhere where only its value is refused by the model: %j, %s', async (asked, message, param) => {
    const said = error(message, { param, code: 'unsupported_value' })
    expectStandIn(await pair.withFallback(runtime, json(400, said), asked))
    const told = expectTold(await pair.alone(runtime, json(400, said), asked), 400, 'unsupported_parameter')
    expect(told.param).toBe(param)
  })

  it.each([
    ["Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got 9 instead.", 'temperature'],
    ["Invalid type for 'temperature': expected a decimal, but got a string instead.", 'temperature'],
    ['temperature: Input should be less than or equal to 2', null],
    ["Invalid value: 'x'. Supported values are: 'low', 'medium', and 'high'.", 'reasoning_effort'],
    ["Unknown parameter: 'shiny'.", 'shiny'],
    ['The language xx is not supported', null],
  ])('is the caller’s own fault where no model takes its value, or it wasn’t sent: %s', async (message, param) => {
    const asked = { temperature: 9, reasoning_effort: 'x', language: 'xx' }
    const outcome = await pair.withFallback(runtime, json(400, error(message, { param })), asked)
    expect([outcome.reply.status, outcome.asked]).toEqual([400, 1])
  })

  it('is not refused by a prompt that a refusal repeats, though it was sent', async () => {
    const prompt = "It says: Unsupported parameter: 'temperature' is not supported with this model. Why?"
    const asked = { temperature: 0.2, messages: [{ role: 'user', content: prompt }] }
    const outcome = await pair.withFallback(runtime, json(400, error(`Bad content: ${prompt}`)), asked)
    expect([outcome.reply.status, outcome.asked]).toEqual([400, 1])
  })

  it('is remembered: a model that refuses tools isn’t asked for them again', async () => {
    const model = 'm-refused-tools'
    pair.upstream.seen.length = 0
    pair.upstream.script(json(400, error('tools is not supported in this model.')))
    await pair.ask(runtime, chat(model, tools))
    expect((await pair.ask(runtime, chat(model, tools))).text).toContain('from the stand-in')
    expect(pair.upstream.seen).toHaveLength(1)
  })

  it.each([
    ['tool_choice', { ...tools, tool_choice: 'auto' }],
    ['response_format', { response_format: { type: 'text' } }],
    ['tools', { tools: [] }],
  ])('is left out where it says what holds without it: %s', async (field, asked) => {
    pair.upstream.seen.length = 0
    pair.upstream.script(json(400, error(`${field} is not supported`)), json(200, chatAnswer('from the first')))
    const reply = await pair.ask(runtime, chat(`p/spare-${field}-${runtime}`, asked))
    expect(reply.text).toContain('from the first')
    const [first, second] = pair.upstream.seen.map(({ body }) => Object.keys(JSON.parse(body)))
    expect(second).toEqual(first?.filter((key) => key !== field))
  })

  it.each(faults)('is the caller’s own fault where it is wrong: %s: %s', async (_server, message, more) => {
    const outcome = await pair.withFallback(runtime, json(400, error(message, more)), mustCall)
    expect([outcome.reply.status, outcome.asked]).toEqual([400, 1])
    expect(outcome.reply.text).not.toContain('from the stand-in')
  })

  it('is not refused by words that the request holds itself', async () => {
    const prompt = "It says: Unsupported parameter: 'tools' is not supported with this model. UnsupportedParamsError?"
    const messages = [{ role: 'user', content: prompt }]
    const outcome = await pair.withFallback(runtime, json(400, error(`Bad content: ${prompt}`)), { ...tools, messages })
    expect([outcome.reply.status, outcome.asked]).toEqual([400, 1])
  })
})
