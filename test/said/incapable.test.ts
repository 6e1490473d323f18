import { describe, expect, it } from 'vitest'
import { ask, chat } from '../support/ask.ts'
import { runtimes } from '../support/both.ts'
import { ManualClock, startGateway } from '../support/gateway.ts'
import { expectStandIn, expectTold, inStream, servePair } from '../support/said.ts'
import { chatAnswer, fakeUpstream, json } from '../support/upstream.ts'

const pair = servePair('said-incapable')

const error = (message: string, more: object = {}) => ({ error: { message, ...more } })

const needing = {
  tools: { tools: [{ type: 'function', function: { name: 'f', parameters: {} } }] },
  vision: { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:,' } }] }] },
  schema: { response_format: { type: 'json_schema', json_schema: { name: 'x', schema: {} } } },
}
type Lack = keyof typeof needing
const params = { tools: 'tools', vision: 'messages', schema: 'response_format' }

const sayings: readonly [string, Lack, number, unknown][] = [
  // ggml-org/llama.cpp#10920
  ['llama.cpp', 'tools', 500, { code: 500, message: 'Unsupported param: tools', type: 'server_error' }],
  // vllm-project/vllm#13513
  [
    'vLLM',
    'vision',
    400,
    { object: 'error', message: 'At most 0 image(s) may be provided in one request.', code: 400 },
  ],
  // sgl-project/sglang#9102
  ['SGLang', 'tools', 500, { object: 'error', message: 'Unsupported tool_call_parser: None', code: 500 }],
  // langchain4j/langchain4j#3475
  [
    'vLLM',
    'tools',
    400,
    {
      object: 'error',
      message: '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set',
      type: 'BadRequestError',
      param: null,
      code: 400,
    },
  ],
  // evalstate/fast-agent#122
  [
    'OpenRouter',
    'tools',
    404,
    error(
      'No endpoints found that support tool use. To learn more about provider routing, visit: https://openrouter.ai/docs',
      { code: 404 },
    ),
  ],
  ['Ollama', 'tools', 400, error('registry.ollama.ai/library/x:latest does not support tools', { type: 'api_error' })],
  ['Groq', 'tools', 400, error('`tool calling` is not supported with this model', { type: 'invalid_request_error' })],
  ['DeepSeek', 'tools', 400, error('deepseek-reasoner does not support Function Calling')],
  ['llama.cpp', 'tools', 500, error('tools param requires --jinja flag', { code: 500, type: 'server_error' })],
  // agno-agi/agno#3505
  [
    'Google',
    'tools',
    400,
    error('Function calling is not enabled for models/x', { code: 400, status: 'INVALID_ARGUMENT' }),
  ],
  // vllm-project/vllm#19144
  [
    'vLLM',
    'vision',
    400,
    { object: 'error', message: 'Qwen/Qwen3-8B is not a multimodal model None', type: 'BadRequestError', code: 400 },
  ],
  ['vLLM', 'vision', 500, error('x is not a multimodal model', { type: 'InternalServerError', code: 500 })],
  // 1jehuang/jcode#310
  [
    'DeepSeek',
    'vision',
    400,
    error(
      'Failed to deserialize the JSON body into the target type: messages[7]: unknown variant `image_url`, expected `text` at line 1 column 114708',
      { type: 'invalid_request_error' },
    ),
  ],
  ['OpenRouter', 'vision', 404, error('No endpoints found that support image input', { code: 404 })],
  [
    'llama.cpp',
    'vision',
    500,
    error('image input is not supported - hint: if this is unexpected, you may need to provide the mmproj', {
      code: 500,
    }),
  ],
  ['LM Studio', 'vision', 400, { error: 'Model does not support images. Please use a model that does.' }],
  // vercel/ai#2837
  [
    'Groq',
    'vision',
    400,
    error("'messages.0' : for 'role:user' the following must be satisfied[('messages[0].content must be a string')]"),
  ],
  [
    'SiliconFlow',
    'vision',
    400,
    { code: 20041, message: 'The model is not a VLM (Vision Language Model). Please use text-only prompts.' },
  ],
  ['SiliconFlow', 'tools', 400, { code: 20037, message: 'Function call is not supported for this model.' }],
  ['SiliconFlow', 'schema', 400, { code: 20024, message: 'Json mode is not supported for this model.', data: null }],
  ['Novita', 'tools', 400, { code: 400, message: 'model features function calling not support' }],
  ['Novita', 'schema', 400, { code: 400, message: 'model features structured outputs not support' }],
  ['Zhipu', 'vision', 400, error("messages.content.type 参数非法，取值范围 ['text']", { code: '1210' })],
  [
    'a server with pydantic',
    'vision',
    422,
    {
      detail: [{ type: 'string_type', loc: ['body', 'messages', 0, 'content'], msg: 'Input should be a valid string' }],
    },
  ],
  ...[
    'Image input not supported for this model',
    'Vision is not supported for this model',
    'This model does not accept image inputs',
    'x only supports text input',
    'Content type image_url not supported',
    '`image_url` is not supported by this model',
  ].map((message): [string, Lack, number, unknown] => ['another', 'vision', 400, error(message)]),
  ...['Tools are not supported for this model', 'tool use is not supported by this model'].map(
    (message): [string, Lack, number, unknown] => ['another', 'tools', 400, error(message)],
  ),
  ...['Structured outputs are not supported for x.', 'JSON mode is not enabled for this model.'].map(
    (message): [string, Lack, number, unknown] => ['another', 'schema', 400, error(message)],
  ),
  ['DeepSeek', 'schema', 400, error('This response_format type is unavailable now')],
  // openai/openai-dotnet#276
  [
    'OpenAI',
    'schema',
    400,
    error("Invalid parameter: 'response_format' of type 'json_schema' is not supported with model version `x`.", {
      param: 'response_format',
    }),
  ],
  ['Groq', 'schema', 400, error('This model does not support response format `json_schema`.')],
  // dzhng/deep-research#127
  [
    'Groq',
    'schema',
    400,
    error("'response_format.type' : value is not one of the allowed values ['text','json_object']"),
  ],
  // BerriAI/litellm#5295
  ['Azure', 'schema', 400, error("Invalid parameter: 'response_format' must be one of 'json_object', 'text'.")],
]

describe.each(runtimes)('A model that can’t do what is asked, on %s', (runtime) => {
  it.each(sayings)(
    'is asked once, and another answers: %s for want of %s, HTTP %i',
    async (_server, lack, status, body) => {
      expectStandIn(await pair.withFallback(runtime, json(status, body), needing[lack]))
      const told = expectTold(
        await pair.alone(runtime, json(status, body), needing[lack]),
        400,
        'unsupported_parameter',
      )
      expect(told.param?.split('.')[0]).toBe(params[lack])
    },
  )

  it('is seen at the start of a stream', async () => {
    const told = inStream({ message: 'x is not a multimodal model', code: 400 })
    expectStandIn(await pair.withFallback(runtime, told, { ...needing.vision, stream: true }))
  })

  it('is not asked for it again for a while, but for everything else', async () => {
    const model = 'm-remembered'
    pair.upstream.seen.length = 0
    pair.upstream.script(json(400, error('x is not a multimodal model')), json(200, chatAnswer('from the first')))
    const first = await pair.ask(runtime, chat(model, needing.vision))
    const again = await pair.ask(runtime, chat(model, needing.vision))
    expect(first.text).toContain('from the stand-in')
    expect(again.text).toContain('from the stand-in')
    expect(again.headers.get('x-samewire-attempts')).toBe('1')
    expect(again.headers.get('x-samewire-reason')).toBe('unsupported_parameter')
    expect(pair.upstream.seen).toHaveLength(1)
    expect((await pair.ask(runtime, chat(model))).text).toContain('from the first')
    expect((await pair.ask(runtime, chat(model, needing.tools))).text).toContain('from the first')
  })

  it('is asked again where there is no other', async () => {
    pair.upstream.script(json(400, error('x is not a multimodal model')), json(200, chatAnswer('from the first')))
    expect((await pair.ask(runtime, chat('p/alone', needing.vision))).status).toBe(400)
    expect((await pair.ask(runtime, chat('p/alone', needing.vision))).text).toContain('from the first')
  })

  it('is not remembered for words about what the request didn’t ask for', async () => {
    const model = 'm-unasked'
    pair.upstream.script(json(400, error('x does not support tools')), json(200, chatAnswer('from the first')))
    expect((await pair.ask(runtime, chat(model))).text).toContain('from the stand-in')
    expect((await pair.ask(runtime, chat(model, needing.tools))).text).toContain('from the first')
  })

  it.each([
    ['messages.0.content: Input should be a valid string', {}],
    ['The image format is not supported: use png or jpeg', needing.vision],
    ['Image could not be decoded', needing.vision],
  ])('is not what is wrong with the request itself: %s', async (message, asked) => {
    const outcome = await pair.withFallback(runtime, json(400, error(message)), asked)
    expect([outcome.reply.status, outcome.asked]).toEqual([400, 1])
  })

  it('is not seen in a refusal that repeats such words from the prompt', async () => {
    const prompt =
      'vLLM tells me that Qwen/Qwen3-8B is not a multimodal model, and that x does not support tools at all.'
    const messages = [{ role: 'user', content: prompt }]
    const outcome = await pair.withFallback(runtime, json(400, error(`Bad content: ${prompt}`)), { messages })
    expect([outcome.reply.status, outcome.asked]).toEqual([400, 1])
  })

  it('is not what a refused parameter means', async () => {
    const said = "Unsupported parameter: 'max_tokens' is not supported with this model."
    const outcome = await pair.withFallback(
      runtime,
      json(400, error(said, { code: 'unsupported_parameter', param: 'max_tokens' })),
    )
    expect([outcome.reply.status, outcome.asked]).toEqual([400, 1])
  })
})

describe('What a deployment can’t do', () => {
  it('is forgotten after ten minutes', async () => {
    const clock = new ManualClock()
    const said = json(400, error('x is not a multimodal model'))
    const upstream = await fakeUpstream(said)
    const standIn = await fakeUpstream(json(200, chatAnswer('from the stand-in')))
    const type = 'openai-compatible'
    const providers = { p: { type, baseURL: upstream.url }, q: { type, baseURL: standIn.url } }
    const gateway = await startGateway(
      { providers, models: { m: { deployments: ['p/m'], fallbacks: ['q/m'] } } },
      { clock },
    )
    const askedFor = async (minutes: number) => {
      await clock.advance(minutes * 60_000)
      const { text } = await ask(gateway, chat('m', needing.vision))
      expect(text).toContain('from the stand-in')
      return upstream.seen.length
    }
    expect(await askedFor(0)).toBe(1)
    expect(await askedFor(9)).toBe(1)
    expect(await askedFor(2)).toBe(2)
    expect(await askedFor(1)).toBe(2)
    await gateway.close()
    await Promise.all([upstream.close(), standIn.close()])
  })
})
