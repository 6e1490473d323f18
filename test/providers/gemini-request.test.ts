import { describe, expect, it } from 'vitest'
import gemini from '../../providers/gemini.ts'
import type { ProviderSettings, WireContext } from '../../src/core/provider.ts'
import type { JsonObject } from '../../src/wire/json.ts'
import { loadedSpecs } from '../support/loaded-specs.ts'

const settings: ProviderSettings = { baseURL: 'https://gemini.example', headers: {}, options: {} }
const specs = await loadedSpecs(gemini, settings)
const user = (content: unknown) => ({ role: 'user', content })
const text = (words: string) => ({ parts: [{ text: words }] })
const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }
const tool = (name: string) => ({ type: 'function', function: { name, description: 'd', parameters: schema } })
const declared = (...names: string[]) => ({
  functionDeclarations: names.map((name) => ({ name, description: 'd', parametersJsonSchema: schema })),
})
const calls = (...names: string[]) => names.map((name) => callOf(name))
const callOf = (name: string, more: object = {}) => ({
  id: `id-${name}`,
  type: 'function',
  function: { name, arguments: '{"city":"Rome"}' },
  ...more,
})
const called = (name: string, more: object = {}) => ({
  functionCall: { id: `id-${name}`, name, args: { city: 'Rome' } },
  ...more,
})
const resultOf = (name: string, content: unknown) => ({ role: 'tool', tool_call_id: `id-${name}`, content })
const picture = 'iVBORw0KGgoAAAANSUhEUg=='

describe("A chat in Gemini's words", () => {
  it.each<[string, JsonObject, JsonObject]>([
    [
      'a temperature and its like',
      { temperature: 0, top_p: 0.5, top_k: 3, seed: 7 },
      { temperature: 0, topP: 0.5, topK: 3, seed: 7 },
    ],
    ['a limit, under its new name first', { max_completion_tokens: 5, max_tokens: 9 }, { maxOutputTokens: 5 }],
    ['a stop string', { stop: '\n' }, { stopSequences: ['\n'] }],
    ['a list of stops', { stop: ['a', '', 'b'] }, { stopSequences: ['a', 'b'] }],
    ['log probabilities', { logprobs: true, top_logprobs: 2 }, { responseLogprobs: true, logprobs: 2 }],
    ['any JSON', { response_format: { type: 'json_object' } }, { responseMimeType: 'application/json' }],
    [
      'a schema',
      { response_format: { type: 'json_schema', json_schema: { name: 'x', schema } } },
      { responseMimeType: 'application/json', responseJsonSchema: schema },
    ],
    ['pictures', { modalities: ['image', 'text'] }, { responseModalities: ['IMAGE', 'TEXT'] }],
    [
      "fields of Gemini's own first",
      { temperature: 1, generationConfig: { temperature: 0.2, imageConfig: {} } },
      { temperature: 0.2, imageConfig: {} },
    ],
  ])('sets %s in its generationConfig', (_, body, wanted) => {
    expect(encode(body).generationConfig).toEqual(wanted)
  })

  it('says nothing that the client left out, and null counts as left out', () => {
    const nothing = { temperature: null, stop: null, tools: null, reasoning_effort: null, user: 'u', store: true, n: 1 }
    expect(encode(nothing)).toEqual({ contents: [{ role: 'user', ...text('hi') }] })
  })

  it("passes on Gemini's own fields, those in extra_body too, and what it may come to know", () => {
    const safetySettings = [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'OFF' }]
    const extra_body = { google: { cached_content: 'cachedContents/1', thinking_config: { thinking_budget: 5 } } }
    expect(encode({ safetySettings, extra_body, shiny: 1, service_tier: 'flex' })).toMatchObject({
      safetySettings,
      cached_content: 'cachedContents/1',
      shiny: 1,
      serviceTier: 'flex',
      generationConfig: { thinkingConfig: { thinking_budget: 5 } },
    })
  })

  it('has its instructions apart, and consecutive messages of one role in one', () => {
    const messages = [
      { role: 'system', content: 'Be brief.' },
      user('a'),
      user([{ type: 'text', text: 'b' }]),
      { role: 'assistant', content: 'c', refusal: null },
      { role: 'assistant', content: '' },
      { role: 'developer', content: 'Be kind.' },
      user('d'),
    ]
    expect(encode({ messages })).toEqual({
      systemInstruction: { parts: [{ text: 'Be brief.' }, { text: 'Be kind.' }] },
      contents: [
        { role: 'user', parts: [{ text: 'a' }, { text: 'b' }] },
        { role: 'model', ...text('c') },
        { role: 'user', ...text('d') },
      ],
    })
  })

  it('of instructions alone, or one that the model begins, is made one that Gemini takes', () => {
    expect(encode({ messages: [{ role: 'system', content: 'Say hi.' }] })).toEqual({
      contents: [{ role: 'user', ...text('Say hi.') }],
    })
    expect(encode({ messages: [{ role: 'assistant', content: 'Hello.' }, user('hi')] }).contents).toEqual([
      { role: 'user', ...text(' ') },
      { role: 'model', ...text('Hello.') },
      { role: 'user', ...text('hi') },
    ])
  })

  it('has pictures, sounds and files as data, and what Gemini fetches itself by address', () => {
    const file = (given: object) => ({ type: 'file', file: given })
    const content = [
      { type: 'image_url', image_url: { url: `data:image/jpg;base64,${picture}`, detail: 'low' } },
      { type: 'image_url', image_url: `data:;base64,${picture}` },
      { type: 'image_url', image_url: { url: 'https://pictures.example/a.png' } },
      { type: 'input_audio', input_audio: { data: 'UklGRg==', format: 'wav' } },
      file({ file_data: 'data:application/pdf;base64,JVBERi0=', filename: 'a.pdf' }),
      file({ file_data: 'YSxi', filename: 'b.CSV' }),
      file({ file_id: 'https://gemini.example/v1beta/files/x', format: 'video/mp4' }),
      { type: 'video_url', video_url: { url: 'https://youtu.be/abc' } },
      { type: 'video_url', video_url: { url: 'https://videos.example/a.MP4?x=1' } },
    ]
    const images = new Map([['https://pictures.example/a.png', `data:image/webp;base64,${picture}`]])
    const inline = (mimeType: string, data: string) => ({ inlineData: { mimeType, data } })
    expect(encode({ messages: [user(content)] }, { images }).contents).toEqual([
      {
        role: 'user',
        parts: [
          inline('image/jpeg', picture),
          inline('image/png', picture),
          inline('image/webp', picture),
          inline('audio/wav', 'UklGRg=='),
          inline('application/pdf', 'JVBERi0='),
          inline('text/csv', 'YSxi'),
          { fileData: { mimeType: 'video/mp4', fileUri: 'https://gemini.example/v1beta/files/x' } },
          { fileData: { fileUri: 'https://youtu.be/abc' } },
          { fileData: { mimeType: 'video/mp4', fileUri: 'https://videos.example/a.MP4?x=1' } },
        ],
      },
    ])
  })

  it.each<[string, JsonObject]>([
    ['stop', { stop: ['1', '2', '3', '4', '5', '6'] }],
    ['modalities', { modalities: ['text', 'audio'] }],
    ['audio', { audio: { voice: 'alloy', format: 'wav' } }],
    ['response_format', { response_format: { type: 'grammar' } }],
    ['tools[1]', { tools: [tool('f'), { type: 'custom', custom: { name: 'x' } }] }],
    ['messages[0].content[0]', { messages: [user([{ type: 'hologram' }])] }],
    ['messages[0].content[0].file.file_id', { messages: [user([{ type: 'file', file: { file_id: 'file-1' } }])] }],
    ['messages[0].role', { messages: [{ role: 'control', content: 'x' }] }],
    ['messages[0].tool_call_id', { messages: [{ role: 'tool', tool_call_id: 'x', content: 'y' }] }],
    [
      'messages[0].tool_calls[0].function.arguments',
      { messages: [{ role: 'assistant', tool_calls: [{ id: 'a', function: { name: 'f', arguments: '{"a' } }] }] },
    ],
  ])('refuses by its name what Gemini has not: %s', (param, body) => {
    expect(() => encode(body)).toThrow(expect.objectContaining({ kind: 'incapable', status: 400, param }))
  })

  it.each<[string, JsonObject, object | undefined, object]>([
    ['none', { tool_choice: 'none' }, { mode: 'NONE' }, declared('f', 'g')],
    ['auto', { tool_choice: 'auto' }, undefined, declared('f', 'g')],
    ['any', { tool_choice: 'required' }, { mode: 'ANY' }, declared('f', 'g')],
    [
      'one',
      { tool_choice: { type: 'function', function: { name: 'g' } } },
      { mode: 'ANY', allowedFunctionNames: ['g'] },
      declared('f', 'g'),
    ],
    [
      'some, which must be called,',
      { tool_choice: { type: 'allowed_tools', allowed_tools: { mode: 'required', tools: [tool('g')] } } },
      { mode: 'ANY', allowedFunctionNames: ['g'] },
      declared('f', 'g'),
    ],
    [
      'some, which may be called,',
      { tool_choice: { type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: [tool('g')] } } },
      undefined,
      declared('g'),
    ],
  ])('offers tools, and %s of them to choose', (_, choice, config, offered) => {
    const sent = encode({ tools: [tool('f'), tool('g')], ...choice })
    expect(sent.tools).toEqual([offered])
    expect(sent.toolConfig).toEqual(config && { functionCallingConfig: config })
  })

  it("offers Gemini's own tools beside functions, and its search for OpenAI's", () => {
    const sent = encode({ tools: [{ codeExecution: {} }, tool('f')], web_search_options: {} })
    expect(sent.tools).toEqual([declared('f'), { codeExecution: {} }, { googleSearch: {} }])
  })

  it('gives results the name of their function, as an object, several of one step in one', () => {
    const messages = [
      user('weather?'),
      { role: 'assistant', content: null, tool_calls: calls('f', 'g') },
      resultOf('f', '{"sky":"blue"}'),
      resultOf('g', [{ type: 'text', text: '[1]' }]),
      user('thanks'),
    ]
    const result = (name: string, response: object) => ({ functionResponse: { id: `id-${name}`, name, response } })
    expect(encode({ messages }, { model: 'gemini-2.5-flash' }).contents).toEqual([
      { role: 'user', ...text('weather?') },
      { role: 'model', parts: [called('f'), called('g')] },
      { role: 'user', parts: [result('f', { sky: 'blue' }), result('g', { output: '[1]' })] },
      { role: 'user', ...text('thanks') },
    ])
  })

  it.each<[string, object]>([
    ['gemini-3-flash', { functionResponse: { parts: [{ inlineData: { data: picture } }] } }],
    ['gemini-2.5-flash', { inlineData: { data: picture } }],
  ])('has a picture in a result where %s takes it', (model, wanted) => {
    const seen = [{ type: 'image_url', image_url: { url: `data:image/png;base64,${picture}` } }]
    const messages = [user('look'), { role: 'assistant', tool_calls: calls('f') }, resultOf('f', seen)]
    const { contents } = encode({ messages }, { model }) as { contents: { parts: object[] }[] }
    expect(contents[2]?.parts.at(-1)).toMatchObject(wanted)
  })
})

describe('A signature that Gemini gave to a call', () => {
  const google = (signature: string) => ({ extra_content: { google: { thought_signature: signature } } })
  const detail = (data: string, id?: string) => ({
    ...{ type: 'reasoning.encrypted', data, format: 'google-gemini-v1', index: 0 },
    ...(id && { id }),
  })
  const skip = { thoughtSignature: 'skip_thought_signature_validator' }

  it.each<[string, JsonObject, object[]]>([
    [
      'on the call',
      { tool_calls: [callOf('f', google('s1')), callOf('g')] },
      [called('f', { thoughtSignature: 's1' }), called('g')],
    ],
    [
      'among the details',
      { tool_calls: calls('f', 'g'), reasoning_details: [detail('s2', 'id-f')] },
      [called('f', { thoughtSignature: 's2' }), called('g')],
    ],
    [
      'among the details, of a call that has another id now',
      { tool_calls: calls('f'), reasoning_details: [detail('s3', 'call_1')] },
      [called('f', { thoughtSignature: 's3' })],
    ],
    [
      'that belongs to the text',
      { content: 'Hm.', reasoning_content: 'hm', reasoning_details: [detail('s4')] },
      [{ text: 'Hm.', thoughtSignature: 's4' }],
    ],
    [
      "of another provider's, which only that one reads",
      { tool_calls: calls('f', 'g'), reasoning_details: [{ ...detail('s5', 'id-f'), format: 'anthropic-claude-v1' }] },
      [called('f', skip), called('g')],
    ],
    ['of none, with the placeholder in its stead', { tool_calls: calls('f', 'g') }, [called('f', skip), called('g')]],
  ])('goes back with it: %s', (_, message, parts) => {
    const sent = encode({ messages: [user('hi'), { role: 'assistant', content: null, ...message }] })
    expect((sent.contents as JsonObject[])[1]).toEqual({ role: 'model', parts })
  })

  it('has no placeholder for models that check none', () => {
    const messages = [user('hi'), { role: 'assistant', tool_calls: calls('f') }]
    expect((encode({ messages }, { model: 'gemini-2.5-pro' }).contents as JsonObject[])[1]).toEqual({
      role: 'model',
      parts: [called('f')],
    })
  })
})

describe('How much to think', () => {
  const level = (name: string) => ({ includeThoughts: true, thinkingLevel: name })
  const budget = (tokens: number) => ({ includeThoughts: true, thinkingBudget: tokens })

  it.each<[string, JsonObject, object | undefined]>([
    ['gemini-4-argon', { reasoning_effort: 'medium' }, level('MEDIUM')],
    ['gemini-4-argon', { reasoning_effort: 'minimal' }, level('LOW')],
    ['gemini-4-argon', { reasoning_effort: 'max' }, level('HIGH')],
    ['gemini-4-neon', { reasoning_effort: 'max' }, level('XHIGH')],
    ['gemini-4-neon', { reasoning_effort: 'none' }, { thinkingLevel: 'LOW' }],
    ['gemini-3-pro-preview', { reasoning_effort: 'medium' }, level('HIGH')],
    ['gemini-3-flash-preview', { reasoning_effort: 'none' }, { thinkingLevel: 'MINIMAL' }],
    ['gemini-3.8-flash', { reasoning_effort: 'minimal' }, level('LOW')],
    ['models/gemini-3.1-flash-lite', { reasoning_effort: 'minimal' }, level('MINIMAL')],
    ['gemini-2.5-flash', { reasoning_effort: 'none' }, { thinkingBudget: 0 }],
    ['gemini-2.5-flash', { reasoning_effort: 'high' }, budget(24_576)],
    ['gemini-2.5-pro', { reasoning_effort: 'none' }, { thinkingBudget: 128 }],
    ['gemini-2.5-pro', { reasoning_effort: 'xhigh' }, budget(32_768)],
    ['gemini-2.5-flash', { thinking: { type: 'enabled', budget_tokens: 2000 } }, budget(2000)],
    ['gemini-2.5-flash', { thinking: { type: 'disabled' } }, { thinkingBudget: 0 }],
    ['gemini-3-flash', { reasoning: { max_tokens: 5000 } }, level('MEDIUM')],
    ['gemini-3-flash', { reasoning: { enabled: true } }, { includeThoughts: true }],
    ['gemini-3-flash', { reasoning: { effort: 'low', exclude: true } }, { thinkingLevel: 'LOW' }],
    ['gemini-3-flash', { thinking: { type: 'adaptive' } }, { includeThoughts: true }],
    ['gemini-2.0-flash', { reasoning_effort: 'high' }, undefined],
    ['gemma-3-27b-it', { reasoning_effort: 'high' }, undefined],
    ['gemini-3-flash', {}, undefined],
  ])('is told to %s: %j', (model, body, wanted) => {
    expect((encode(body, { model }).generationConfig as JsonObject | undefined)?.thinkingConfig).toEqual(wanted)
  })

  it.each<[string, JsonObject, string[]]>([
    ['gemini-2.0-flash', { reasoning_effort: 'high' }, ['reasoning_effort']],
    ['gemini-2.0-flash', { thinking: { type: 'enabled', budget_tokens: 2000 } }, ['thinking']],
    ['gemini-2.0-flash', { chat_template_kwargs: { enable_thinking: true } }, ['chat_template_kwargs']],
    ['gemini-2.0-flash', { reasoning_effort: 'none' }, []],
    ['gemini-2.0-flash', { reasoning: { max_tokens: 0 } }, []],
    ['gemini-2.0-flash', {}, []],
    ['gemini-3-flash', { reasoning_effort: 'high' }, []],
  ])('is left out and told only where %s can not do it: %j', (model, body, told) => {
    const leftOut: string[] = []
    encode(body, { model, leftOut: (param) => leftOut.push(param) })
    expect(leftOut).toEqual(told)
  })

  it('is a 400 where it is no level', () => {
    expect(() => encode({ reasoning_effort: 'much' })).toThrow(
      expect.objectContaining({ status: 400, param: 'reasoning_effort', code: 'invalid_value' }),
    )
  })
})

/** The request as JSON. */
function encode(body: JsonObject, more: Partial<WireContext> = {}): JsonObject {
  const context = { id: 'chatcmpl-1', created: 1, random: () => 0, model: 'gemini-3-flash', ...more }
  const sent = specs.chat?.encode?.({ ...context, body: { messages: [user('hi')], ...body } })
  return JSON.parse(JSON.stringify(sent)) as JsonObject
}
