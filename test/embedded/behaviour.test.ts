import { describe, expect, it } from 'vitest'
import { EngineError, type JsonObject, type Operation } from '../../providers/embedded/engine.ts'
import { readGguf } from '../../providers/embedded/gguf.ts'
import { Matcher } from '../../providers/embedded/grammar.ts'
import { schemaRule } from '../../providers/embedded/json-grammar.ts'
import { OutputParser } from '../../providers/embedded/output.ts'
import { TextStream, Tokenizer } from '../../providers/embedded/tokenizer.ts'
import { cpuFor } from '../support/cpu.ts'
import { type Answer, answersOf, complete, engine, modelFile, options, stream } from './engine-fixture.ts'

const user = (content: unknown): JsonObject => ({ messages: [{ role: 'user', content }] })
const weather = {
  name: 'get_weather',
  description: 'd',
  parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
}
const tools = [{ type: 'function', function: weather }]

describe('the tokenizer', () => {
  const tokenizer = new Tokenizer(readGguf(modelFile))

  it('gives back every text it takes', () => {
    for (const text of [
      '',
      'Hello, world!',
      "it's  two\n\n lines\t",
      'naïve café',
      '日本語 и русский',
      '👩‍👩‍👧 🎉',
      '\u0000\ufeff',
    ]) {
      expect(tokenizer.decode(tokenizer.encode(text))).toBe(text)
    }
  })

  it('takes the names of special tokens for those tokens', () => {
    expect(tokenizer.encode('<|im_start|>user\nhi<|im_end|>\n')).toEqual([2001, 385, 263, 198, 71, 72, 2002, 198])
  })

  it('is quick with a long word', async () => {
    expect(await cpuFor(() => tokenizer.encode('ab-'.repeat(50_000)))).toBeLessThan(2000)
  })

  it('never lets half a character out of a stream', () => {
    const stream = new TextStream()
    const parts = Array.from(new TextEncoder().encode('é🎉!'), (byte) => stream.push(Uint8Array.of(byte)))
    expect(parts).toEqual(['', 'é', '', '', '', '🎉', '!'])
    stream.push(Uint8Array.of(0xf0, 0x9f))
    expect(stream.end()).toBe('\ufffd')
  })
})

describe('sampling', () => {
  const text = async (body: JsonObject) =>
    (await complete('completions', { prompt: 'The', temperature: 1, max_tokens: 24, ...body })).choices[0]?.text

  it('gives the same text for the same seed and another for another', async () => {
    expect(await text({ seed: 7 })).toBe(await text({ seed: 7 }))
    expect(await text({ seed: 7 })).not.toBe(await text({ seed: 8 }))
  })

  it('gives several choices that differ', async () => {
    const { choices } = await complete('completions', { prompt: 'The', temperature: 1, seed: 1, n: 3 })
    expect(new Set(choices.map((choice) => choice.text)).size).toBe(3)
  })

  it('is greedy when top_p or top_k leave one token', async () => {
    const greedy = await text({ temperature: 0 })
    expect(await text({ top_p: 0 })).toBe(greedy)
    expect(await text({ top_k: 1 })).toBe(greedy)
  })

  it('heeds penalties and biases', async () => {
    const greedy = await text({ temperature: 0, prompt: 'b' })
    expect(await text({ temperature: 0, prompt: 'b', frequency_penalty: 2, presence_penalty: 2 })).not.toBe(greedy)
    expect(await text({ temperature: 0, max_tokens: 3, logit_bias: { 0: 100 } })).toBe('!!!')
  })
})

describe('a chat that is not to be thought about', () => {
  it('has no reasoning, and no tags in its text', async () => {
    const asked = user('ping /think')
    const { usage, choices } = await complete('chat', { ...asked, reasoning_effort: 'none' })
    expect(choices[0]?.message?.reasoning_content).toBeUndefined()
    expect(choices[0]?.message?.content).not.toMatch(/<\/?think>/)
    expect(usage?.completion_tokens_details?.reasoning_tokens).toBe(0)
    expect((await complete('chat', asked)).choices[0]?.message?.reasoning_content).toBeTruthy()
  })

  it('is answered as usual otherwise', async () => {
    const [plain, without] = [{}, { reasoning_effort: 'none' }].map((more) =>
      complete('chat', { ...user('hi'), ...more }),
    )
    expect((await without)?.choices).toEqual((await plain)?.choices)
  })
})

const PARITY: Record<string, [Operation, JsonObject]> = {
  'sampled text': ['completions', { prompt: ['The', 'A'], temperature: 1, seed: 3, n: 2, max_tokens: 40, echo: true }],
  'a sampled chat': ['chat', { ...user('dragon'), temperature: 1.5, seed: 11, n: 2, max_tokens: 60 }],
  'sampled tool calls': ['chat', { ...user('weather in Paris and Rome?'), tools, temperature: 1.2, seed: 5 }],
  'sampled JSON': [
    'chat',
    { ...user('hi'), response_format: { type: 'json_object' }, temperature: 1, seed: 2, max_tokens: 60 },
  ],
  reasoning: ['chat', user('ping /think')],
}

describe('a stream', () => {
  for (const [what, [operation, body]] of Object.entries(PARITY)) {
    it(`says what the whole answer says, for ${what}`, async () => {
      expect(answersOf(await stream(operation, body))).toEqual(answersOf([await complete(operation, body)]))
    })
  }

  it('opens each choice with its role, closes it once, and ends with the usage that was asked for', async () => {
    const chunks = await stream('chat', { ...user('hi'), n: 2, stream_options: { include_usage: true } })
    const usage = chunks.pop()
    expect(usage?.choices).toEqual([])
    expect(usage?.usage?.completion_tokens).toBe(22)
    expect(chunks.every((chunk) => chunk.usage === null && chunk.id === 'chatcmpl-1')).toBe(true)
    for (const index of [0, 1]) {
      const choices = chunks.flatMap((chunk) => chunk.choices).filter((choice) => choice.index === index)
      expect(choices[0]).toEqual({
        index,
        delta: { role: 'assistant', content: '' },
        logprobs: null,
        finish_reason: null,
      })
      expect(choices.at(-1)).toEqual({ index, delta: {}, logprobs: null, finish_reason: 'stop' })
      expect(choices.filter((choice) => choice.finish_reason !== null)).toHaveLength(1)
    }
  })

  it('names a tool call before its arguments', async () => {
    const deltas = (await stream('chat', { ...user('weather in Paris?'), tools })).flatMap((chunk) =>
      chunk.choices.flatMap((choice) => choice.delta?.tool_calls ?? []),
    )
    const first = { index: 0, id: expect.stringMatching(/^call_\w{24}$/), type: 'function' }
    expect(deltas[0]).toEqual({ ...first, function: { name: 'get_weather', arguments: '' } })
    expect(deltas[1]).toEqual({ index: 0, function: { arguments: '{' } })
  })
})

describe('the output parser', () => {
  const feed = (parser: OutputParser, text: string) => [
    ...[...text].flatMap((char) => parser.push(char)),
    ...parser.end(),
  ]
  const content = (pieces: ReturnType<OutputParser['push']>) =>
    pieces.map((p) => (p.kind === 'content' ? p.text : '')).join('')

  it('cuts at a stop string split over tokens and lets out what only looked like one', () => {
    const plain = { thinking: false, tools: false }
    expect(content(feed(new OutputParser({ ...plain, stop: ['abcd', 'END'] }), 'xabcEabcdz'))).toBe('xabcE')
    expect(content(feed(new OutputParser({ ...plain, stop: ['abcd'] }), 'xabc'))).toBe('xabc')
  })

  it('keeps tags as text unless tools were given, and text that is not a call in either case', () => {
    const text = 'a <tool_call>\nb</tool_call> c'
    for (const tools of [false, true]) {
      expect(content(feed(new OutputParser({ thinking: true, tools, stop: [] }), text)).replace(/\s/g, '')).toBe(
        text.replace(/\s/g, ''),
      )
    }
  })

  it('shows no part of a tag when reasoning is cut off', () => {
    const parser = new OutputParser({ thinking: true, tools: false, stop: [] })
    expect(parser.push('<think>\n').concat(parser.end())).toEqual([])
  })
})

describe('the engine', () => {
  it('stops with the reason of an abort in the middle of an answer', async () => {
    const abort = new AbortController()
    let pauses = 0
    const pause = async () => {
      if (++pauses === 5) abort.abort(new Error('gone'))
    }
    const answer = engine.complete('chat', user('Tell me a story'), options({ signal: abort.signal, pause }))
    await expect(answer).rejects.toThrow('gone')
    expect(pauses).toBe(5)
  })

  it('keeps answers apart that are generated at the same time', async () => {
    const pause = () => new Promise<void>((resolve) => setTimeout(resolve))
    const ask = (text: string) => engine.complete('chat', user(text), options({ pause }))
    const both = await Promise.all([ask('hi'), ask('count from 1 to 20')])
    expect(both).toEqual([await ask('hi'), await ask('count from 1 to 20')])
  })

  it('forces a named function and none but the offered ones', async () => {
    const other = {
      type: 'function',
      function: {
        name: 'add_up',
        parameters: { type: 'object', properties: { a: { type: 'integer' } }, required: ['a'] },
      },
    }
    const body = {
      ...user('hi'),
      tools: [...tools, other],
      tool_choice: { type: 'function', function: { name: 'add_up' } },
      parallel_tool_calls: false,
    }
    const [answer] = answersOf([await complete('chat', body)]) as [Answer]
    expect(answer.calls).toEqual([{ name: 'add_up', arguments: expect.stringMatching(/^\{"a": -?\d+\}$/) }])
    expect(answer.finish).toBe('tool_calls')
  })

  it('lists legacy log probabilities with their offsets', async () => {
    const { choices } = await complete('completions', {
      prompt: 'Once upon',
      max_tokens: 2,
      temperature: 0,
      logprobs: 1,
    })
    expect(choices[0]).toMatchObject({ text: ' and a', logprobs: { tokens: [' and', ' a'], text_offset: [0, 4] } })
  })

  it('takes prompts as tokens', async () => {
    const { choices } = await complete('completions', { prompt: [[64], [65]], max_tokens: 2, temperature: 0 })
    expect(choices.map((choice) => choice.text)).toEqual(['ro.', ' and and'])
  })

  it('holds JSON to a schema even against the odds', async () => {
    const schema = {
      type: 'object',
      properties: {
        id: { type: 'integer' },
        tags: { type: 'array', items: { enum: ['x', 'y'] } },
        note: { const: 'ok' },
        next: { anyOf: [{ type: 'null' }, { $ref: '#/$defs/leaf' }] },
      },
      required: ['id', 'tags', 'next'],
      $defs: {
        leaf: { type: 'object', properties: { n: { type: 'number' } }, required: ['n'], additionalProperties: false },
      },
    }
    const body = {
      ...user('hi'),
      temperature: 2,
      response_format: { type: 'json_schema', json_schema: { name: 's', schema } },
    }
    for (let seed = 0; seed < 10; seed++) {
      const [answer] = answersOf([await complete('chat', { ...body, seed })]) as [Answer]
      if (answer.finish === 'length') continue
      const value = JSON.parse(answer.text) as { id: number; tags: string[]; next: { n: number } | null }
      expect(Number.isInteger(value.id) && value.tags.every((tag) => tag === 'x' || tag === 'y')).toBe(true)
      expect(value.next === null || typeof value.next.n === 'number').toBe(true)
    }
  })

  it('survives a schema that refers to itself without end', () => {
    const loop = { anyOf: [{ $ref: '#' }, { $ref: '#' }, { type: 'array', items: { $ref: '#' } }] }
    const matcher = new Matcher(schemaRule(loop, 'response_format'))
    for (let i = 0; i < 40; i++) matcher.accept(new TextEncoder().encode('['))
    expect(matcher.allows(new TextEncoder().encode(']'))).toBe(true)
  })
})

const hugeTool = { type: 'function', function: { ...weather, parameters: { enum: ['x'.repeat(50_000)] } } }

const REFUSED: [Operation, JsonObject, code: string, param: string][] = [
  ['chat', {}, 'missing_required_parameter', 'messages'],
  ['chat', { messages: [{ content: 'x' }] }, 'missing_required_parameter', 'messages[0].role'],
  ['chat', { ...user('x'), tools: [{ type: 'function' }] }, 'missing_required_parameter', 'tools[0].function'],
  [
    'chat',
    { ...user('x'), tools, tool_choice: { type: 'function' } },
    'missing_required_parameter',
    'tool_choice.function.name',
  ],
  ['chat', { messages: [] }, 'invalid_value', 'messages'],
  ['chat', { messages: [{ role: 'wizard', content: 'x' }] }, 'invalid_value', 'messages[0].role'],
  ['chat', user(7), 'invalid_type', 'messages[0].content'],
  [
    'chat',
    user([{ type: 'image_url', image_url: { url: 'data:' } }]),
    'unsupported_parameter',
    'messages[0].content[0]',
  ],
  ['chat', { ...user('x'), temperature: 'hot' }, 'invalid_type', 'temperature'],
  ['chat', { ...user('x'), temperature: 3 }, 'invalid_value', 'temperature'],
  ['chat', { ...user('x'), n: 1.5 }, 'invalid_type', 'n'],
  ['chat', { ...user('x'), stop: [1] }, 'invalid_type', 'stop'],
  ['chat', { ...user('x'), max_tokens: 0 }, 'invalid_value', 'max_tokens'],
  ['chat', { ...user('x'), top_logprobs: 2 }, 'invalid_value', 'top_logprobs'],
  ['chat', { ...user('x'), tool_choice: 'required' }, 'invalid_value', 'tool_choice'],
  ['chat', { ...user('x'), tools: [{ type: 'custom' }] }, 'unsupported_parameter', 'tools[0].type'],
  ['chat', { ...user('x'), logit_bias: { 9999: 1 } }, 'invalid_value', 'logit_bias'],
  [
    'chat',
    {
      ...user('x'),
      response_format: { type: 'json_schema', json_schema: { schema: { type: 'string', pattern: 'x' } } },
    },
    'unsupported_parameter',
    'response_format',
  ],
  ['chat', { ...user('x'), logit_bias: { '0001': 1 } }, 'invalid_value', 'logit_bias'],
  ['chat', { ...user('x'), n: 128, logprobs: true, top_logprobs: 2 }, 'invalid_value', 'top_logprobs'],
  ['chat', { ...user('x'), tools: Array(129).fill(tools[0]) }, 'array_above_max_length', 'tools'],
  ['chat', user('word '.repeat(1_000_000)), 'context_length_exceeded', 'messages'],
  ['chat', { messages: Array(20_000).fill({ role: 'user', content: 'x' }) }, 'context_length_exceeded', 'messages'],
  ['chat', { ...user('x'), tools: Array(128).fill(hugeTool) }, 'context_length_exceeded', 'messages'],
  ['completions', { prompt: 'abcdefgh'.repeat(600_000) }, 'context_length_exceeded', 'prompt'],
  ['completions', { prompt: Array(128).fill('word '.repeat(10_000)) }, 'context_length_exceeded', 'prompt'],
  ['completions', { prompt: 7 }, 'invalid_type', 'prompt'],
  ['completions', { prompt: [5000] }, 'invalid_value', 'prompt'],
  ['completions', { prompt: 'x', suffix: 'y' }, 'unsupported_parameter', 'suffix'],
  ['completions', { prompt: 'x', best_of: 2 }, 'unsupported_parameter', 'best_of'],
]

describe('the engine refuses', () => {
  for (const [operation, body, code, param] of REFUSED) {
    it(`${JSON.stringify(body).slice(0, 90)} with ${code} for ${param}`, async () => {
      const error = await engine.complete(operation, body, options()).catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(EngineError)
      expect(error).toMatchObject({ status: 400, code, param })
    })
  }
})
