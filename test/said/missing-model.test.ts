import { describe, expect, it } from 'vitest'
import { runtimes } from '../support/both.ts'
import { expectStandIn, expectTold, inStream, servePair } from '../support/said.ts'
import { json, text } from '../support/upstream.ts'

const pair = servePair('said-missing')

const error = (message: string, more: object = {}) => ({ error: { message, ...more } })
const python = (inner: string) => `Error code: 400 - {'error': {'message': ${inner}, 'type': None, 'code': 400}}`

const sayings: readonly [string, number, unknown][] = [
  // songquanpeng/one-api#1494
  ['one-api', 503, error('当前分组 default 下对于模型 x 无可用渠道 (request id: 1)', { type: 'one_api_error' })],
  [
    'Cloudflare',
    400,
    { success: false, errors: [{ code: 5007, message: 'AiError: No such model @cf/x or task' }], result: {} },
  ],
  ['a Python dict alone', 400, error("{'error': 'Invalid model name passed in model=x'}")],
  // gzzhongqi/vertex2openai#2
  [
    'Google, behind Python',
    500,
    {
      detail:
        "404 NOT_FOUND. {'error': {'code': 404, 'message': 'Publisher Model `x` not found.', 'status': 'NOT_FOUND'}}",
    },
  ],
  // continuedev/continue#9939
  [
    'Google',
    404,
    error(JSON.stringify(error('models/x is not found for API version v1beta', { code: 404, status: 'NOT_FOUND' })), {
      code: 404,
      status: 'Not Found',
    }),
  ],
  ['OpenRouter', 400, error('nope/x is not a valid model ID', { code: 400 })],
  ['OpenRouter', 404, error('No endpoints found for nope/x.', { code: 404 })],
  ['LiteLLM', 400, error('/chat/completions: Invalid model name passed in model=x', { type: 'None', code: '400' })],
  // BerriAI/litellm#3142
  ['LiteLLM’s older form', 400, error("400: {'error': 'Invalid model name passed in model=x'}", { type: 'None' })],
  ['a gateway before LiteLLM', 400, { detail: python('"Invalid model name passed in model=x"') }],
  ['Mistral', 400, { object: 'error', message: 'Invalid model: x', type: 'invalid_model', param: null, code: '1500' }],
  ['new-api', 503, error('No available channel for model x under group default', { code: 'model_not_found' })],
  // deepwn/addi#13
  ['DeepSeek', 400, error('Model Not Exist', { type: 'invalid_request_error', code: 'invalid_request_error' })],
  // vllm-project/vllm#3486
  ['vLLM', 404, { object: 'error', message: 'The model `x` does not exist.', type: 'NotFoundError', code: 404 }],
  ['GitHub Models', 400, error('Unknown model: x', { code: 'unknown_model' })],
  // anthropics/claude-code#3008
  [
    'a proxy for Anthropic',
    400,
    { type: 'error', error: { type: 'invalid_request_error', message: 'Invalid model name' } },
  ],
  ['LM Studio', 400, { error: 'Invalid model identifier "x". Please specify a valid downloaded model.' }],
  ['Groq', 400, error('It is gone.', { code: 'model_decommissioned' })],
  // orbi-build/orbi#561
  [
    'Groq',
    403,
    error('The model `x` is blocked at the organization level.', {
      type: 'permissions_error',
      code: 'model_permission_blocked_org',
    }),
  ],
  // BerriAI/litellm#39660
  [
    'LiteLLM',
    403,
    error("key not allowed to access model. This key can only access models=['y']. Tried to access x", {
      type: 'key_model_access_denied',
      code: '403',
    }),
  ],
  // HeyPuter/puter#3168
  ['Together', 400, error('Unable to access non-serverless model x.', { code: 'model_not_available' })],
  // earendil-works/pi#4993, anomalyco/opencode#396, anthropics/claude-code#536
  ['AWS Bedrock', 400, { message: 'The provided model identifier is invalid.' }],
  ['AWS Bedrock', 400, { message: 'Invocation of model ID x with on-demand throughput isn’t supported.' }],
  ['AWS Bedrock', 403, { message: "You don't have access to the model with the specified model ID." }],
  // Alishahryar1/free-claude-code#1021
  ['NVIDIA', 404, { status: 404, title: 'Not Found', detail: "Function '1-2': Not found for account 'x'" }],
  // ollama/ollama#15990
  ['Ollama’s cloud', 403, { error: 'this model requires a subscription, upgrade for access' }],
  // cline/cline#5098
  [
    'Hugging Face',
    400,
    error("The requested model 'x' is not supported by any provider you have enabled.", { code: 'x' }),
  ],
  // continuedev/continue#12720
  ['Google', 404, error('This model models/x is no longer available to new users.', { code: 404 })],
  // google-gemini/gemini-cli#24641
  ['Google, elsewhere', 400, error('User location is not supported for the API use.', { code: 400 })],
  // continuedev/continue#10150
  ['LM Studio', 400, error('Failed to load model "x". Error: insufficient system resources.')],
  // cline/cline#5449
  ['OpenRouter', 404, error('No allowed providers are available for the selected model.', { code: 404 })],
  ['a list of errors', 422, { errors: [{ code: 'model_not_found', message: 'x is unknown here' }] }],
  ['a detail that is an object', 400, { detail: { code: 'model_not_found', message: 'x is unknown here' } }],
  ['an error_message', 400, { error_message: 'Invalid model: x' }],
  ['a word beside a message', 400, { error: 'invalid_model', message: 'We have no such thing.' }],
  // OpenHands/OpenHands#786
  [
    'LiteLLM, of a model without a provider',
    400,
    error(
      "litellm.BadRequestError: LLM Provider NOT provided. Pass in the LLM provider you are trying to call. You passed model=x\n Pass model as E.g. For 'Huggingface' inference endpoints pass in `completion(model='huggingface/starcoder',..)`",
      { type: null, param: null, code: '400' },
    ),
  ],
  ['llama-swap', 400, { error: 'could not find real modelID for x' }],
  ['llama-swap', 500, { error: 'could not find suitable inference handler for x' }],
  // aws-samples/bedrock-chat#91
  ['AWS Bedrock', 400, { message: 'Could not resolve the foundation model from the provided model identifier.' }],
  ['AWS Bedrock, with a capital', 400, { Message: 'The provided model identifier is invalid.' }],
  // songquanpeng/one-api#127
  ['Azure', 400, error('The API deployment for this resource does not exist.', { code: 'DeploymentNotFound' })],
  // eosphoros-ai/DB-GPT#1093
  ['Zhipu', 400, { error: { code: '1211', message: '模型不存在，请检查模型代码。' } }],
  // mozilla-ai/any-llm#778
  ['Moonshot', 400, error('Not found the model x or Permission denied', { type: 'resource_not_found_error' })],
  ['FastChat', 400, { object: 'error', message: 'Only a&&b allowed now, your model x', code: 40301 }],
  [
    'a server with pydantic 2',
    422,
    { detail: [{ type: 'literal_error', loc: ['body', 'model'], msg: "Input should be 'a' or 'b'", input: 'x' }] },
  ],
  [
    'a server with pydantic 1',
    422,
    {
      detail: [
        { loc: ['body', 'model'], msg: "value is not a valid enumeration member; permitted: 'a'", type: 'enum' },
      ],
    },
  ],
  ['Replicate', 422, { title: 'Invalid version', detail: 'The specified version does not exist.', status: 422 }],
  ['another', 400, error('The model name x is not available')],
  ['another', 400, error('No model matches the given name')],
  ['LiteLLM', 500, error("There is no 'model_name' with this string x", { code: '500' })],
  // mudler/LocalAI#1037
  ['LocalAI', 500, error('could not load model - all backends returned error: [llama]: no such file', { code: 500 })],
  // databricks-demos/dbdemos#220
  ['Databricks', 404, { error_code: 'ENDPOINT_NOT_FOUND', message: "Endpoint with name 'x' does not exist." }],
  ['OpenAI, of a project', 403, error('You do not have access to model x')],
  ['an error in an error, as JSON', 500, error(JSON.stringify(error('gone', { code: 'model_not_found' })))],
]

describe.each(runtimes)('A model that its upstream lacks, on %s', (runtime) => {
  it.each(sayings)('is answered by the fallback after one try: %s, HTTP %i', async (_server, status, body) => {
    expectStandIn(await pair.withFallback(runtime, json(status, body)))
    expectTold(await pair.alone(runtime, json(status, body)), 404, 'model_not_found')
  })

  it('is seen in an error under 200, whole or at the start of a stream', async () => {
    const gone = { message: 'The model `x` does not exist.', type: 'NotFoundError', code: 404 }
    expectStandIn(await pair.withFallback(runtime, json(200, { error: gone })))
    expectStandIn(await pair.withFallback(runtime, inStream(gone), { stream: true }))
  })

  it.each([
    ['a plain refusal', 400, error('temperature: Input should be less than or equal to 2')],
    ['a wrong value beside a model', 400, error('Invalid model parameters: top_k must be positive')],
    ['a model that is no text', 422, { detail: [{ loc: ['body', 'model'], msg: 'Input should be a valid string' }] }],
    ['a value that is not supported', 400, error('The requested voice is not supported')],
    ['an image that is missing', 400, error('model llava: URL https://host.test/cat.png not found')],
    ['an image that is missing, under 404', 404, error('model llava: image at https://host.test/x.png was not found')],
    ['a conversation that is missing', 404, error('Conversation for model gpt-x-1 was not found')],
    // BerriAI/litellm#26147
    [
      'an answer that is missing',
      404,
      error("Response with id 'resp_99' not found. Received Model Group=Qwen/Qwen3", { param: 'response_id' }),
    ],
    ['FastAPI', 422, { detail: [{ loc: ['body', 'messages', 0, 'role'], msg: 'Field required', type: 'missing' }] }],
  ])('is not taken for what is the request’s own fault: %s', async (_what, status, body) => {
    const outcome = await pair.withFallback(runtime, json(status, body))
    expect(outcome.asked).toBe(1)
    expect(outcome.reply.status).toBe(status)
  })

  it.each([
    'Image model `gpt-image-9` does not exist',
    'Model gpt-image-9 not found',
    'The model `thread/url` does not exist',
    'Image input: model llava not found',
  ])('may have a name or a purpose that sounds like something else: %s', async (message) => {
    expectStandIn(await pair.withFallback(runtime, json(404, error(message))))
    expectTold(await pair.alone(runtime, json(400, error(message))), 404, 'model_not_found')
  })

  it('is not found in a refusal that repeats a prompt about such errors', async () => {
    const prompt = 'Explain this to me please: the server says that nope/x is not a valid model ID, and so I am stuck.'
    const messages = [{ role: 'user', content: prompt }]
    for (const said of [
      error(`Invalid value for messages[0]: ${prompt}`),
      error(`Invalid value for messages[0]: ${JSON.stringify(prompt)}`),
      { detail: [{ loc: ['body', 'messages', 0], msg: `Value error, got '${prompt}'`, type: 'value_error' }] },
    ]) {
      const outcome = await pair.withFallback(runtime, json(422, said), { messages })
      expect([outcome.reply.status, outcome.asked]).toEqual([422, 1])
    }
  })

  it('is found although an agent’s history holds the same words', async () => {
    const messages = [{ role: 'user', content: 'It said: nope/x is not a valid model ID. Try again.' }]
    const said = json(400, error('nope/x is not a valid model ID'))
    expectStandIn(await pair.withFallback(runtime, said, { messages }))
  })

  it('is not missing where the server has no such path', async () => {
    const said = 'The requested URL was not found on the server. If you entered the URL manually, check your spelling.'
    for (const message of [
      said,
      'The requested URL http://host.test/v1/chat was not found on this server.',
      'URL not found',
    ])
      expectTold(await pair.alone(runtime, json(404, { message })), 404, 'wrong_endpoint')
  })

  it('is not the reason of a web page or of a failure that may pass', async () => {
    const page = await pair.alone(runtime, text(404, '<html>model</html>', 'text/html'))
    expect(JSON.parse(page.reply.text)).toMatchObject({ error: { code: 'wrong_endpoint' } })
    const busy = await pair.alone(runtime, json(503, error('The model is overloaded')))
    expect(busy.asked).toBeGreaterThan(1)
  })
})
