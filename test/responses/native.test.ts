import { describe, expect, it } from 'vitest'
import { sealed } from '../../src/operations/responses/thoughts.ts'
import { errorOf } from '../support/ask.ts'
import { runtimes, startBoth } from '../support/both.ts'
import { duringTests } from '../support/during-tests.ts'
import { serveUpstreams } from '../support/gateway.ts'
import { message, readEvents, response, responseFrames } from '../support/responses.ts'
import { callAnswer, chatAnswer, chatFrames, json, type Script, stream } from '../support/upstream.ts'

const whole = responseFrames(['Hello'])
const native: Script = (request, ...rest) =>
  (request.body.includes('"stream":true')
    ? stream(whole)
    : json(200, response('completed', { output: [message('Hello')] })))(request, ...rest)
const chatting: Script = (request, ...rest) =>
  (request.body.includes('"stream":true') ? stream(chatFrames('Hi')) : json(200, chatAnswer('Hi')))(request, ...rest)

/** Has no such path, as this kind of server says it. */
const without =
  (status: number, body: unknown): Script =>
  (request, ...rest) =>
    (request.path.endsWith('/responses') ? json(status, body) : chatting)(request, ...rest)

const { up, spare } = serveUpstreams({ up: native, spare: chatting })

const kinds = {
  openai: { type: 'openai', apiKey: 'env:KEY' },
  vllm: { type: 'vllm' },
  openrouter: { type: 'openrouter', apiKey: 'env:KEY' },
  llamacpp: { type: 'llamacpp' },
  compatible: { type: 'openai-compatible' },
  ollama: { type: 'ollama', api: 'openai' },
} as const

const both = duringTests(() => {
  const named = (suffix: string, more: object) =>
    Object.fromEntries(
      Object.entries(kinds).map(([name, kind]) => [name + suffix, { ...kind, baseURL: up.url, ...more }]),
    )
  return startBoth(
    'native-responses',
    {
      providers: {
        ...named('', {}),
        ...named('-native', { responses: 'native' }),
        ...named('-translated', { responses: 'translated' }),
        azure: { type: 'openai', apiKey: 'env:KEY', baseURL: up.url, apiVersion: '2025-04-01-preview' },
        spare: { type: 'openai-compatible', baseURL: spare.url },
      },
      models: {
        'native first': { deployments: ['openai/m'], fallbacks: ['spare/m'] },
        'two accounts': { deployments: ['openai/m'], fallbacks: ['openai/n'] },
        'chat first': { deployments: ['spare/m'], fallbacks: ['openai/m'] },
      },
      retries: 0,
      cooldown: false,
    },
    { KEY: 'sk-up' },
  )
})

describe.each(runtimes)('On %s, a request for a response', (runtime) => {
  const ask = (body: object) => both.ask(runtime, { input: 'hi', ...body }, '/responses')
  const posts = () => up.seen.filter(({ method }) => method === 'POST')
  const paths = () => posts().map(({ path }) => path)

  it.each([
    ['openai', '/responses'],
    ['vllm', '/responses'],
    ['openrouter', '/responses'],
    ['vllm-native', '/responses'],
    ['llamacpp-native', '/responses'],
    ['compatible-native', '/responses'],
    ['ollama-native', '/v1/responses'],
    ['azure', '/openai/responses?api-version=2025-04-01-preview'],
  ])('goes to %s as it is, but for the model', async (name, path) => {
    const odd = `{"input" : "hi",  "model":"${name}/m", "previous_response_id":"resp_1","store":true,"background":false,"future":[1.0]}`
    const reply = await both.ask(runtime, odd, '/responses')
    expect(paths()).toEqual([path])
    expect(posts()[0]?.body).toBe(odd.replace(`${name}/m`, 'm'))
    expect(JSON.parse(reply.text)).toMatchObject({ id: 'resp_up' })
  })

  it.each([
    ['openai-translated', '/chat/completions'],
    ['vllm-translated', '/chat/completions'],
    ['openrouter-translated', '/chat/completions'],
    ['llamacpp', '/chat/completions'],
    ['compatible', '/chat/completions'],
    ['ollama', '/v1/chat/completions'],
  ])('goes to %s as a chat', async (name, path) => {
    up.script(chatting)
    const reply = await ask({ model: `${name}/m` })
    expect(paths()).toEqual([path])
    expect(JSON.parse(reply.text)).toMatchObject({ object: 'response', status: 'completed' })
  })

  const close = { type: 'function', name: 'close', parameters: { type: 'object' } }
  const agents = { type: 'namespace', name: 'agents', description: 'Agents.', tools: [close] }
  const search = { type: 'web_search', external_web_access: false }

  it.each([
    ['vllm', agents],
    ['vllm', search],
    ['vllm', { type: 'custom', name: 'apply_patch' }],
    ['openrouter', agents],
  ])('becomes a chat at %s if it has tools that this server does not know', async (name, tool) => {
    up.script(chatting)
    const reply = await ask({ model: `${name}/m`, tools: [close, tool] })
    expect(paths()).toEqual(['/chat/completions'])
    expect(JSON.parse(reply.text)).toMatchObject({ status: 'completed' })
    const added = { type: 'additional_tools', role: 'developer', tools: [tool] }
    await ask({ model: `${name}/m`, input: [added, { role: 'user', content: 'hi' }] })
    expect(paths()).toEqual(['/chat/completions', '/chat/completions'])
  })

  it('brings back the calls of a namespace as such from a server that knows none', async () => {
    up.script(json(200, callAnswer('agents__close')))
    const { output } = JSON.parse((await ask({ model: 'vllm/m', tools: [agents] })).text) as { output: object[] }
    expect(output).toMatchObject([{ type: 'function_call', namespace: 'agents', name: 'close' }])
  })

  it.each([
    ['openai', agents, {}],
    ['openrouter', search, {}],
    ['vllm', close, {}],
    ['vllm', { type: 'code_interpreter', container: { type: 'auto' } }, {}],
    ['vllm', agents, { previous_response_id: 'resp_1' }],
    ['vllm-native', agents, {}],
    ['openrouter-native', agents, {}],
  ])('stays one at %s with the tool %j and %j', async (name, tool, more) => {
    await ask({ model: `${name}/m`, tools: [tool], ...more })
    expect(paths()).toEqual(['/responses'])
    expect(JSON.parse(posts()[0]?.body ?? '')).toMatchObject({ tools: [tool] })
  })

  it('is explained as the chat that it becomes', async () => {
    const explained = async (tool: object) => {
      const { text } = await both.ask(runtime, { model: 'vllm/m', input: 'hi', tools: [close, tool] }, '/explain')
      return (JSON.parse(text) as { attempts: object[] }).attempts[0]
    }
    expect(await explained(search)).toMatchObject({ dropped: ['tools.web_search'] })
    expect(await explained(close)).toMatchObject({ dropped: [] })
  })

  it.each([
    ['vLLM before it had one', 404, { detail: 'Not Found' }],
    ['OpenAI', 404, { error: { message: 'Invalid URL (POST /v1/responses)', type: 'invalid_request_error' } }],
    ['llama.cpp', 404, { error: { code: 404, message: 'File Not Found', type: 'not_found_error' } }],
    ['a server that only reads', 405, { detail: 'Method Not Allowed' }],
  ])('becomes a chat in the same request where there is no such path: %s', async (_who, status, body) => {
    const model = `vllm/${runtime}-${_who.length}`
    up.script(without(status, body))
    const streamed = await ask({ model, stream: true })
    expect(readEvents(streamed.text).at(-1)).toMatchObject({ type: 'response.completed' })
    expect(paths()).toEqual(['/responses', '/chat/completions'])
    const next = await ask({ model })
    expect(JSON.parse(next.text)).toMatchObject({ status: 'completed' })
    // It isn't asked again.
    expect(paths()).toEqual(['/responses', '/chat/completions', '/chat/completions'])
  })

  it.each([
    ["Item with id 'rs_1' not found. Items are not persisted when `store` is set to false."],
    ["Previous response with id 'resp_1' not found."],
  ])('stays one where something else is missing: %s', async (words) => {
    up.script(without(404, { error: { message: words, type: 'invalid_request_error', param: 'input', code: null } }))
    const reply = await ask({ model: 'openai/m' })
    expect(reply.status).toBe(404)
    expect(JSON.parse(reply.text)).toMatchObject({ error: { message: words, param: 'input' } })
    expect(paths()).toEqual(['/responses'])
  })

  it('says that the model is missing where it is', async () => {
    const error = { message: 'The model `m` does not exist', type: 'invalid_request_error', code: 'model_not_found' }
    up.script(json(404, { error }))
    expect(JSON.parse((await ask({ model: 'openai/m' })).text)).toMatchObject({ error: { code: 'model_not_found' } })
    expect(paths()).toEqual(['/responses'])
  })

  it('goes from a model with responses to one that chats', async () => {
    up.script(json(500, { error: { message: 'Out of luck' } }))
    const reply = await ask({ model: 'native first', stream: true })
    expect(readEvents(reply.text).at(-1)).toMatchObject({ type: 'response.completed' })
    expect(reply.headers.get('x-samewire-model')).toBe('spare/m')
    expect(spare.seen.map(({ path }) => path)).toEqual(['/chat/completions'])
  })

  it('goes from a model that chats to one with responses', async () => {
    spare.script(json(500, { error: { message: 'Out of luck' } }))
    const reply = await ask({ model: 'chat first', stream: true })
    expect(reply.text).toBe(whole.join(''))
    expect(reply.headers.get('x-samewire-model')).toBe('openai/m')
  })

  it('goes from a model that chats to one with responses if it needs a store', async () => {
    const reply = await ask({ model: 'chat first', previous_response_id: 'resp_1' })
    expect(JSON.parse(reply.text)).toMatchObject({ id: 'resp_up' })
    expect(spare.seen).toEqual([])
  })

  it('goes to the provider that has compacted it, since no other can read that', async () => {
    const input = [
      { type: 'compaction', id: 'cmp_1', encrypted_content: 'gAAAA' },
      { role: 'user', content: 'hi' },
    ]
    await ask({ model: 'chat first', input })
    expect(spare.seen.filter(({ method }) => method === 'POST')).toEqual([])
    expect(JSON.parse(posts()[0]?.body ?? '')).toEqual({ model: 'm', input })
    const reply = await ask({ model: 'spare/m', input })
    expect(reply.status).toBe(400)
    expect(errorOf(reply)).toMatchObject({
      param: 'input[0]',
      message: "The compacted conversation in 'input[0]' can only be read by the provider that compacted it.",
    })
  })

  it('leaves out what another model has sealed, and keeps what it has summed up', async () => {
    const own = { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'gAAAA' }
    const input = [
      { type: 'compaction', encrypted_content: sealed('They are called Ada.') },
      { type: 'reasoning', id: 'rs_0', summary: [], encrypted_content: sealed('Hm.') },
      own,
      { role: 'user', content: 'x'.repeat(20_000) },
    ]
    await ask({ model: 'openai/m', input })
    const summary = { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'They are called Ada.' }] }
    expect(JSON.parse(posts()[0]?.body ?? '')).toMatchObject({ model: 'm', input: [summary, own, input[3]] })
  })

  describe('with reasoning that another server has sealed', () => {
    const unreadable: Script = (request, ...rest) => {
      const message = 'The encrypted content gAAA...DQ== could not be verified.'
      const error = { message, type: 'invalid_request_error', param: null, code: 'invalid_encrypted_content' }
      return (request.body.includes('gAAAA') ? json(400, { error }) : native)(request, ...rest)
    }
    const thought = { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'gAAAA' }
    const call = { type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' }
    const turn = [{ role: 'user', content: 'hi' }, thought, { id: 'fc_1', ...call }]
    const result = { type: 'function_call_output', id: 'fco_1', call_id: 'c', output: 'done' }

    it.each([[false], [true]])('goes once more without it, and says so (streamed: %s)', async (streams) => {
      up.script(unreadable)
      const reply = await ask({ model: 'openai/m', input: [...turn, result], stream: streams })
      expect({ status: reply.status, text: reply.text }).toMatchObject({ status: 200 })
      expect(reply.headers.get('x-samewire-dropped')).toBe('input.reasoning')
      expect(reply.headers.get('x-samewire-attempts')).toBe('1')
      const [first, second] = posts().map(({ body }) => (JSON.parse(body) as { input: unknown[] }).input)
      expect(first).toEqual([...turn, result])
      expect(second).toEqual([turn[0], call, result])
    })

    it('is sent with what the next request seals all the same', async () => {
      up.script(unreadable)
      await ask({ model: 'openai/m', input: turn })
      up.script(native)
      const reply = await ask({ model: 'openai/m', input: turn })
      expect(reply.headers.get('x-samewire-dropped')).toBeNull()
      expect(JSON.parse(posts().at(-1)?.body ?? '')).toMatchObject({ input: turn })
    })

    it('is refused in the server’s words if it is refused without it too', async () => {
      const error = { message: 'No.', type: 'invalid_request_error', param: 'input', code: 'invalid_encrypted_content' }
      up.script(json(400, { error }))
      const reply = await ask({ model: 'openai/m', input: turn })
      expect(reply.status).toBe(400)
      expect(errorOf(reply)).toMatchObject(error)
      expect(posts()).toHaveLength(2)
    })

    it('goes to another server if this one can’t read what was compacted', async () => {
      up.script(unreadable)
      const compacted = { type: 'compaction', id: 'cmp_1', encrypted_content: 'gAAAA' }
      const input = [compacted, { role: 'user', content: 'hi' }]
      expect(errorOf(await ask({ model: 'two accounts', input }))).toMatchObject({ code: 'invalid_encrypted_content' })
      expect(posts().map(({ body }) => JSON.parse(body) as object)).toEqual([
        { model: 'm', input },
        { model: 'n', input },
      ])
    })
  })

  it('leaves out what another model thought, which a server with a store would look for', async () => {
    const said = { role: 'assistant', content: 'Hello!', reasoning_content: 'Hm.' }
    spare.script(json(200, { ...chatAnswer(''), choices: [{ index: 0, message: said, finish_reason: 'stop' }] }))
    const { output } = JSON.parse((await ask({ model: 'spare/m' })).text) as { output: { type: string }[] }
    expect(output.map(({ type }) => type)).toEqual(['reasoning', 'message'])
    const foreign = { type: 'reasoning', id: 'rs_0a1b2c', summary: [], content: [] }
    await ask({ model: 'openai/m', input: [foreign, ...output, { role: 'user', content: 'And now?' }] })
    const { input } = JSON.parse(posts()[0]?.body ?? '') as { input: { type: string }[] }
    expect(input).toEqual([foreign, output[1], { role: 'user', content: 'And now?' }])
  })
})
