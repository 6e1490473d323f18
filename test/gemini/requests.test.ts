import { beforeEach, describe, expect, it } from 'vitest'
import { runtimes, serveBoth } from '../support/both.ts'
import { chatSaying } from '../support/response-events.ts'
import { callAnswer, chatAnswer, json } from '../support/upstream.ts'

const { upstream, both } = serveBoth(
  'gemini-requests',
  (url) => ({ providers: { up: { type: 'openai-compatible', baseURL: url } }, retries: 0, cooldown: false }),
  { script: (request, ...rest) => json(200, answerTo(JSON.parse(request.body)))(request, ...rest) },
)

interface Sent extends Record<string, unknown> {
  readonly messages: readonly Record<string, unknown>[]
  readonly tools?: readonly { readonly function: Record<string, unknown> }[]
}

function answerTo({ tools = [], tool_choice: choice, response_format: format, n }: Partial<Sent>): object {
  if (typeof choice === 'object' || choice === 'required') return callAnswer(String(tools[0]?.function.name))
  if (n === 2) {
    const choices = ['A', 'B'].map((content, index) => ({ index, message: { content }, finish_reason: 'stop' }))
    return { ...chatSaying({}), choices }
  }
  return chatAnswer(format ? '{}' : 'Hello!')
}

const path = '/v1beta/models/up/m:generateContent'
const user = (...parts: object[]) => ({ role: 'user', parts })
const model = (...parts: object[]) => ({ role: 'model', parts })
const hi = user({ text: 'hi' })
const schema = { type: 'OBJECT', properties: { type: { type: 'STRING', nullable: true } }, required: ['type'] }
const converted = { type: 'object', properties: { type: { type: ['string', 'null'] } }, required: ['type'] }
const declared = [{ name: 'f', description: 'Does it.', parameters: schema }, { name: 'g' }]
const f = { type: 'function', function: { name: 'f', description: 'Does it.', parameters: converted } }
const g = { type: 'function', function: { name: 'g', parameters: { type: 'object', properties: {} } } }
const tools = [{ functionDeclarations: declared }]

describe.each(runtimes)('On %s, a request for content', (runtime) => {
  beforeEach(() => {
    upstream.seen.length = 0
  })

  async function sentFor(body: object) {
    const reply = await both.ask(runtime, body, path)
    expect({ status: reply.status, text: reply.text }).toMatchObject({ status: 200 })
    const seen = upstream.seen.at(-1)
    expect(seen?.path).toBe('/chat/completions')
    const sent: Sent = { ...(JSON.parse(seen?.body ?? '') as Sent), dropped: reply.headers.get('x-samewire-dropped') }
    return sent
  }

  const messagesFor = async (...contents: object[]) => (await sentFor({ contents })).messages

  it('of one text is one message of the user, with nothing else', async () => {
    expect(await sentFor({ contents: [hi] })).toEqual({
      model: 'm',
      messages: [{ role: 'user', content: 'hi' }],
      dropped: null,
    })
  })

  it.each(['/v1beta', '/v1alpha', ''])('is taken under %s, with a key in the query or in a header', async (version) => {
    const url = `${both.addresses[runtime].replace(/\/v1$/, '')}${version || '/v1'}/models/up/m:generateContent`
    const body = JSON.stringify({ contents: [hi] })
    const headers = { 'content-type': 'application/json' }
    const byQuery = await fetch(`${url}?key=${both.key}`, { method: 'POST', headers, body })
    const byHeader = await fetch(url, { method: 'POST', headers: { ...headers, 'x-goog-api-key': both.key }, body })
    const without = await fetch(url, { method: 'POST', headers, body })
    expect([byQuery.status, byHeader.status, without.status]).toEqual([200, 200, 401])
    const message = expect.stringMatching(/^You didn't provide.* x-goog-api-key, or as `key` in the query\.$/)
    expect(await without.json()).toEqual({ error: { code: 401, message, status: 'UNAUTHENTICATED' } })
  })

  it.each(['/v1beta', '/v1alpha', '/v1'])('is taken under %s with the name right behind it', async (version) => {
    const base = both.addresses[runtime].replace(/\/v1$/, version)
    const headers = { 'content-type': 'application/json', 'x-goog-api-key': both.key }
    const post = (name: string) =>
      fetch(`${base}/${name}`, { method: 'POST', headers, body: JSON.stringify({ contents: [hi] }) })
    const whole = await post('up/org/m:generateContent')
    expect([whole.status, await whole.json()]).toMatchObject([200, { candidates: [{ finishReason: 'STOP' }] }])
    expect(JSON.parse(upstream.seen.at(-1)?.body ?? '')).toMatchObject({ model: 'org/m' })
    const unknown = await post('nobody/m:generateContent')
    expect([unknown.status, await unknown.json()]).toMatchObject([404, { error: { status: 'NOT_FOUND' } }])
    const other = await fetch(`${base}/up/org/m:generateContent`, { headers })
    expect([other.status, other.headers.get('allow')]).toEqual([405, 'POST, OPTIONS'])
  })

  it('has its instruction in front, and fields in snake case or without lists too', async () => {
    const body = {
      system_instruction: { parts: { text: 'Be brief.' } },
      contents: { parts: [{ text: 'a' }, { inline_data: { mime_type: 'image/png', data: 'aGk=' } }] },
      generation_config: { max_output_tokens: 10, stop_sequences: ['x'], top_k: 5 },
    }
    expect(await sentFor(body)).toMatchObject({
      messages: [
        { role: 'system', content: 'Be brief.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'a' },
            { type: 'image_url', image_url: { url: 'data:image/png;base64,aGk=' } },
          ],
        },
      ],
      ...{ max_completion_tokens: 10, stop: ['x'], top_k: 5 },
    })
  })

  it('joins calls and results without ids by name, in order, the same each time', async () => {
    const call = (x: number, name = 'f') => ({ functionCall: { name, args: { x } } })
    const result = (output: string, name = 'f') => ({ functionResponse: { name, response: { output } } })
    const contents = [
      hi,
      model({ text: 'Hm.', thought: true }),
      model(call(1), call(2), call(3, 'g')),
      { role: 'function', parts: [result('g3', 'g'), result('f1'), result('f2')] },
    ]
    const made = (id: string, name: string, x: number) => ({
      ...{ id, type: 'function' },
      function: { name, arguments: `{"x":${x}}` },
    })
    const messages = await messagesFor(...contents)
    expect(messages).toEqual([
      { role: 'user', content: 'hi' },
      {
        role: 'assistant',
        content: null,
        reasoning_content: 'Hm.',
        tool_calls: [made('call00000', 'f', 1), made('call00001', 'f', 2), made('call00002', 'g', 3)],
      },
      { role: 'tool', tool_call_id: 'call00002', content: 'g3' },
      { role: 'tool', tool_call_id: 'call00000', content: 'f1' },
      { role: 'tool', tool_call_id: 'call00001', content: 'f2' },
    ])
    expect(await messagesFor(...contents)).toEqual(messages)
  })

  it('keeps ids, arguments and results as they are, and takes no signature of a client for one', async () => {
    const part = { functionCall: { id: 'c1', name: 'f', args: { snake_case: { any_of: 1 } } } }
    const contents = [
      hi,
      model({ ...part, thoughtSignature: 'skip_thought_signature_validator' }),
      user({ functionResponse: { id: 'c1', name: 'f', response: { a_b: [1] } } }),
    ]
    expect((await messagesFor(...contents)).slice(1)).toEqual([
      {
        ...{ role: 'assistant', content: null },
        tool_calls: [{ id: 'c1', type: 'function', function: { name: 'f', arguments: '{"snake_case":{"any_of":1}}' } }],
      },
      { role: 'tool', tool_call_id: 'c1', content: '{"a_b":[1]}' },
    ])
  })

  it.each([
    [undefined, { tools: [f, g] }],
    [{ mode: 'AUTO' }, { tools: [f, g], tool_choice: 'auto' }],
    [{ mode: 'NONE' }, { tools: [f, g], tool_choice: 'none' }],
    [{ mode: 'ANY' }, { tools: [f, g], tool_choice: 'required' }],
    [
      { mode: 'VALIDATED', allowedFunctionNames: ['g'] },
      { tools: [g], tool_choice: 'auto' },
    ],
    [
      { mode: 'ANY', allowedFunctionNames: ['f'] },
      { tools: [f], tool_choice: { type: 'function', function: { name: 'f' } } },
    ],
  ])('offers its functions with %j', async (functionCallingConfig, expected) => {
    const { tools: offered, tool_choice } = await sentFor({
      ...{ contents: [hi], tools },
      ...(functionCallingConfig && { toolConfig: { functionCallingConfig } }),
    })
    expect({ tools: offered, ...(tool_choice !== undefined && { tool_choice }) }).toEqual(expected)
  })

  it('tells what it left out', async () => {
    const { dropped } = await sentFor({
      ...{ contents: [hi], tools: [{ googleSearch: {} }, ...tools], safetySettings: [{}], labels: { a: 'b' } },
      generationConfig: { mediaResolution: 'MEDIA_RESOLUTION_LOW' },
    })
    expect((dropped as string).split(/,\s*/).toSorted()).toEqual([
      'generationConfig.mediaResolution',
      'safetySettings',
      'tools.googleSearch',
    ])
  })

  it('has its settings', async () => {
    const generationConfig = {
      ...{ temperature: 1, topP: 0.9, topK: 64, seed: 3, presencePenalty: 0.1, frequencyPenalty: 0.2 },
      candidateCount: 2,
    }
    expect(await sentFor({ contents: [hi], generationConfig })).toMatchObject({
      ...{ temperature: 1, top_p: 0.9, top_k: 64, seed: 3, presence_penalty: 0.1, frequency_penalty: 0.2 },
      ...{ n: 2, dropped: null },
    })
  })

  it("may have its numbers as texts, and proto's defaults for what it doesn't set", async () => {
    const generationConfig = {
      ...{ temperature: '0.5', topP: '0.9', topK: '64', seed: '3', maxOutputTokens: '5', candidateCount: '2' },
      ...{ responseMimeType: '', thinkingConfig: { thinkingBudget: '1024', thinkingLevel: '' } },
    }
    expect(await sentFor({ contents: [hi], cachedContent: '', generationConfig })).toEqual({
      ...{ model: 'm', messages: [{ role: 'user', content: 'hi' }], dropped: null },
      ...{ temperature: 0.5, top_p: 0.9, top_k: 64, seed: 3, max_completion_tokens: 5, n: 2, reasoning_effort: 'low' },
    })
    const words = { temperature: 'warm' }
    const reply = await both.ask(runtime, { contents: [hi], generationConfig: words }, path)
    expect([reply.status, JSON.parse(reply.text)]).toMatchObject([400, { error: { status: 'INVALID_ARGUMENT' } }])
  })

  it.each([
    ['{', 'Invalid JSON payload received.'],
    [
      { contents: [hi], generationConfig: { stopSequences: ['a', 1] } },
      "Invalid value at 'generation_config.stop_sequences[1]' (TYPE_STRING): a text is expected.",
    ],
    [
      { contents: [hi], generationConfig: { maxOutputTokens: 60_000, max_output_tokens: 5 } },
      "Invalid value at 'generationConfig' (oneof), oneof field '_max_output_tokens' is already set. Cannot set 'maxOutputTokens'",
    ],
    [
      { contents: [hi], generationConfig: { maxOutputTokens: 60_000 }, generation_config: { maxOutputTokens: 5 } },
      "Invalid value (oneof), oneof field '_generation_config' is already set. Cannot set 'generationConfig'",
    ],
  ])('is refused in terms of its own API: %j', async (body, message) => {
    const reply = await both.ask(runtime, body, path)
    expect([reply.status, JSON.parse(reply.text)]).toEqual([
      400,
      { error: { code: 400, message, status: 'INVALID_ARGUMENT' } },
    ])
  })

  it('may have one end without a list', async () => {
    expect((await sentFor({ contents: [hi], generationConfig: { stopSequences: 'x' } })).stop).toEqual(['x'])
  })

  it('keeps a last turn of the user without a word, which the model must not take for its own turn', async () => {
    const empty = { role: 'user', content: '' }
    const [first, second] = [
      { role: 'user', content: 'hi' },
      { role: 'assistant', content: 'b' },
    ]
    expect(await messagesFor(hi, model({ text: 'b' }), user({ text: '' }))).toEqual([first, second, empty])
    expect(await messagesFor(user({ text: '' }))).toEqual([empty])
  })

  it('may leave types in a schema unsaid', async () => {
    const parameters = { type: 'OBJECT', properties: { x: { type: 'TYPE_UNSPECIFIED', description: 'Any.' } } }
    const { tools: sent } = await sentFor({
      contents: [hi],
      tools: [{ functionDeclarations: [{ name: 'f', parameters }] }],
    })
    expect(sent?.[0]?.function.parameters).toEqual({ type: 'object', properties: { x: { description: 'Any.' } } })
  })

  it('is told that no instruction has a picture', async () => {
    const systemInstruction = {
      parts: [{ text: 'Be brief.' }, { inlineData: { mimeType: 'image/png', data: 'aGk=' } }],
    }
    expect(await sentFor({ contents: [hi], systemInstruction })).toMatchObject({
      messages: [{ role: 'system', content: 'Be brief.' }, { role: 'user' }],
      dropped: 'systemInstruction.inlineData',
    })
  })

  it.each([
    [{ thinkingBudget: 0 }, 'none'],
    [{ thinkingBudget: 1024 }, 'low'],
    [{ thinkingBudget: 8000 }, 'medium'],
    [{ thinkingBudget: 24576, includeThoughts: true }, 'high'],
    [{ thinkingBudget: -1 }, undefined],
    [{ includeThoughts: true }, undefined],
    [{ thinkingLevel: 'LOW' }, 'low'],
  ])('says by %j how much to think', async (thinkingConfig, effort) => {
    expect((await sentFor({ contents: [hi], generationConfig: { thinkingConfig } })).reasoning_effort).toBe(effort)
  })

  it.each([
    [{}, { type: 'json_object' }],
    [{ responseSchema: schema }, { type: 'json_schema', json_schema: { name: 'answer', schema: converted } }],
    [{ responseJsonSchema: converted }, { type: 'json_schema', json_schema: { name: 'answer', schema: converted } }],
  ])('asks for JSON with %j', async (fields, format) => {
    const generationConfig = { responseMimeType: 'application/json', ...fields }
    expect((await sentFor({ contents: [hi], generationConfig })).response_format).toEqual(format)
  })

  it('may name what a tool is called with as it likes', async () => {
    const args = { last_name: 'a', lastName: 'b' }
    const call = model({ functionCall: { name: 'f', args } })
    const result = user({ functionResponse: { name: 'f', response: args } })
    const { messages } = await sentFor({ contents: [hi, call, result] })
    expect(JSON.stringify(messages)).toContain('last_name')
  })

  it.each([
    ['no contents', {}, 'contents is not specified'],
    ['a text for contents', { contents: 'hi' }, "Invalid value at 'contents'"],
    ['no parts', { contents: [{ role: 'user' }] }, 'must not be empty'],
    ['an unknown role', { contents: [{ role: 'assistant', parts: [{ text: 'x' }] }] }, 'valid role'],
    ['a text for a number', { contents: [hi], generationConfig: { topK: 'x' } }, 'a number is expected'],
    ['a text for settings', { contents: [hi], generationConfig: 'x' }, 'an object is expected'],
    [
      'two numbers of answers',
      { contents: [hi], generation_config: { candidate_count: 1, candidateCount: 8 } },
      "Cannot set 'candidateCount'",
    ],
    [
      'a picture given twice',
      { contents: [user({ inlineData: { mimeType: 'image/png', data: '' }, inline_data: { data: '' } })] },
      "Invalid value at 'contents[0].parts[0]'",
    ],
    ['a call without a name', { contents: [hi, model({ functionCall: {} })] }, 'Name cannot be empty'],
    ['a picture without data', { contents: [user({ inlineData: {} })] }, "'mimeType' and 'data' are expected"],
    ['a video', { contents: [user({ inlineData: { mimeType: 'video/mp4', data: 'AA==' } })] }, 'not supported'],
    ['a file of Google', { contents: [user({ fileData: { fileUri: 'https://x.y/files/1' } })] }, 'not supported'],
    ['what is cached', { contents: [hi], cachedContent: 'cachedContents/1' }, 'not supported'],
    ['speech', { contents: [hi], generationConfig: { speechConfig: {} } }, 'not supported'],
    ['pictures', { contents: [hi], generationConfig: { responseModalities: ['TEXT', 'IMAGE'] } }, 'not supported'],
    [
      'an unknown mode',
      { contents: [hi], tools, toolConfig: { functionCallingConfig: { mode: 'X' } } },
      'function_calling_config.mode',
    ],
  ])('with %s is refused', async (_, body, words) => {
    const reply = await both.ask(runtime, body, path)
    const { error } = JSON.parse(reply.text) as { error: { message: string } }
    expect([reply.status, error]).toEqual([
      400,
      { code: 400, message: expect.stringContaining(words), status: 'INVALID_ARGUMENT' },
    ])
    expect(upstream.seen).toEqual([])
  })
})
