import { beforeEach, describe, expect, it } from 'vitest'
import { chat, eventsOf } from '../support/ask.ts'
import { runtimes } from '../support/both.ts'
import {
  events,
  head,
  geminiKey as key,
  type Part,
  piece,
  said,
  serveGemini,
  usageMetadata,
} from '../support/gemini.ts'
import { json, type Script, stream } from '../support/upstream.ts'

const { upstream, both } = serveGemini('gemini')

const usage = {
  ...{ prompt_tokens: 29, completion_tokens: 815, total_tokens: 844 },
  prompt_tokens_details: { cached_tokens: 20 },
  completion_tokens_details: { reasoning_tokens: 800 },
}
const bodies = () => upstream.seen.map(({ body }) => JSON.parse(body) as Record<string, unknown>)
const weather = { type: 'function', function: { name: 'weather', parameters: { type: 'object', properties: {} } } }
/** https://ai.google.dev/gemini-api/docs/generate-content/thought-signatures: of parallel calls the first has one. */
const twoCalls = [
  { functionCall: { id: 'fc1', name: 'weather', args: { city: 'Rome' } }, thoughtSignature: 'sig-1' },
  { functionCall: { name: 'weather', args: { city: 'Paris' } } },
]

beforeEach(() => {
  upstream.seen.length = 0
})

describe.each(runtimes)('Gemini, on %s,', (runtime) => {
  const ask = (script: Script, more: object = {}, model = 'up/gemini-3-flash') => {
    upstream.script(script)
    return both.ask(runtime, chat(model, more))
  }
  const answered = async (script: Script, more: object = {}) => {
    const reply = await ask(script, more)
    expect(reply.status, reply.text).toBe(200)
    return JSON.parse(reply.text)
  }
  const streamed = async (all: readonly unknown[], more: object = {}) => {
    const reply = await ask(stream(events(...all)), { stream: true, ...more })
    expect(reply.status, reply.text).toBe(200)
    const data = eventsOf(reply.text).map((event) => event.data)
    return {
      done: data.at(-1) === '[DONE]',
      chunks: data.filter((one) => one !== '[DONE]').map((one) => JSON.parse(one)),
    }
  }
  const deltasOf = (chunks: { choices: { delta: object }[] }[]) =>
    chunks.flatMap(({ choices }) => choices.map(({ delta }) => delta))

  it('is asked at the path of its model, with its own key and none of the client', async () => {
    await answered(json(200, said([{ text: 'Hi.' }])))
    await streamed([said([{ text: 'Hi.' }])])
    expect(upstream.seen.map(({ path }) => path)).toEqual([
      '/v1beta/models/gemini-3-flash:generateContent',
      '/v1beta/models/gemini-3-flash:streamGenerateContent?alt=sse',
    ])
    for (const { headers } of upstream.seen) {
      expect(headers['x-goog-api-key']).toBe(key)
      expect(headers).not.toHaveProperty('authorization')
    }
    expect(bodies()[0]).toEqual({ contents: [{ role: 'user', parts: [{ text: 'hi' }] }] })
  })

  it('answers with text, thoughts and all counts', async () => {
    const answer = await answered(
      json(
        200,
        said([
          { text: 'Hm.', thought: true },
          { text: 'Hi', thoughtSignature: 's' },
        ]),
      ),
    )
    expect(answer).toEqual({
      ...{ id: 'r1', object: 'chat.completion', created: expect.any(Number), model: 'gemini-3-flash-preview' },
      choices: [
        {
          index: 0,
          message: {
            ...{ role: 'assistant', content: 'Hi', refusal: null, reasoning_content: 'Hm.' },
            reasoning_details: [{ type: 'reasoning.encrypted', data: 's', format: 'google-gemini-v1', index: 0 }],
          },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage,
    })
  })

  it('streams the same in pieces, with one finish, and the usage where it is asked for', async () => {
    const { chunks, done } = await streamed(
      [
        piece({ text: 'H', thought: true }),
        piece({ text: 'm.', thought: true }, { text: 'H' }),
        piece({ text: 'i' }),
        said([{ text: '', thoughtSignature: 's' }]),
      ],
      { stream_options: { include_usage: true } },
    )
    expect(done).toBe(true)
    expect(deltasOf(chunks)).toEqual([
      { role: 'assistant', content: '' },
      { reasoning_content: 'H' },
      { reasoning_content: 'm.' },
      { content: 'H' },
      { content: 'i' },
      { reasoning_details: [{ type: 'reasoning.encrypted', data: 's', format: 'google-gemini-v1', index: 0 }] },
      {},
    ])
    expect(chunks.at(-2).choices[0].finish_reason).toBe('stop')
    expect(chunks.at(-1)).toMatchObject({ id: 'r1', model: 'gemini-3-flash-preview', choices: [], usage })
  })

  it.each([false, true])('keeps the signature of calls for the next turn (stream: %j)', async (wantsStream) => {
    const tools = [weather]
    const calls: Record<string, unknown>[] = []
    const details: unknown[] = []
    if (wantsStream) {
      const { chunks } = await streamed([...twoCalls.map((call) => piece(call)), said([{ text: '' }])], { tools })
      for (const delta of deltasOf(chunks) as Record<string, never[]>[]) {
        calls.push(...(delta.tool_calls ?? []).map(({ index: _, ...call }: Record<string, unknown>) => call))
        details.push(...(delta.reasoning_details ?? []))
      }
      expect(chunks.at(-1).choices[0].finish_reason).toBe('tool_calls')
    } else {
      const [choice] = (await answered(json(200, said(twoCalls)), { tools })).choices
      expect(choice).toMatchObject({ finish_reason: 'tool_calls', message: { content: null } })
      calls.push(...choice.message.tool_calls)
      details.push(...choice.message.reasoning_details)
    }
    expect(calls).toEqual([
      {
        ...{ id: 'fc1', type: 'function', function: { name: 'weather', arguments: '{"city":"Rome"}' } },
        extra_content: { google: { thought_signature: 'sig-1' } },
      },
      {
        id: expect.stringMatching(/^call_/),
        type: 'function',
        function: { name: 'weather', arguments: '{"city":"Paris"}' },
      },
    ])
    expect(details).toEqual([
      { type: 'reasoning.encrypted', data: 'sig-1', id: 'fc1', format: 'google-gemini-v1', index: 0 },
    ])

    const results = calls.map(({ id }) => ({ role: 'tool', tool_call_id: id, content: 'sunny' }))
    const plain = calls.map(({ extra_content: _, ...call }) => call)
    // Clients keep the one, or the other.
    for (const message of [{ tool_calls: calls }, { tool_calls: plain, reasoning_details: details }]) {
      const messages = [{ role: 'user', content: 'hi' }, { role: 'assistant', content: null, ...message }, ...results]
      await answered(json(200, said([{ text: 'Sunny.' }])), { messages, tools })
      const [, model, answers] = (bodies().at(-1)?.contents ?? []) as { parts: Part[] }[]
      expect(model?.parts[0]).toMatchObject({ functionCall: { id: 'fc1' }, thoughtSignature: 'sig-1' })
      expect(model?.parts[1]).not.toHaveProperty('thoughtSignature')
      expect(answers?.parts.map(({ functionResponse }) => functionResponse)).toEqual(
        calls.map(({ id }) => ({ id, name: 'weather', response: { output: 'sunny' } })),
      )
    }
  })

  it('counts several calls of one stream from 0, and finishes with them although it says STOP', async () => {
    const { chunks } = await streamed([piece(...twoCalls), said([])], { tools: [weather] })
    const pieces = deltasOf(chunks).flatMap((delta) => ('tool_calls' in delta ? (delta.tool_calls as object[]) : []))
    expect(pieces).toMatchObject([{ index: 0, id: 'fc1' }, { index: 1 }])
    expect(chunks.at(-1).choices[0].finish_reason).toBe('tool_calls')
  })

  it('shows pictures, code that it ran, and the sources of its text', async () => {
    const parts = [
      { text: 'é: sunny.' },
      { executableCode: { language: 'PYTHON', code: 'print(1)' } },
      { codeExecutionResult: { outcome: 'OUTCOME_OK', output: '1' } },
      { inlineData: { mimeType: 'image/png', data: 'iVBORw0KGgo=' } },
    ]
    const groundingMetadata = {
      groundingChunks: [{ web: { uri: 'https://weather.example', title: 'Weather' } }],
      groundingSupports: [{ segment: { startIndex: 4, endIndex: 10, text: 'sunny.' }, groundingChunkIndices: [0] }],
    }
    const message = {
      content: 'é: sunny.\n```python\nprint(1)\n```\n\n```\n1\n```\n',
      images: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } }],
      annotations: [
        {
          type: 'url_citation',
          url_citation: { start_index: 3, end_index: 9, url: 'https://weather.example', title: 'Weather' },
        },
      ],
    }
    const more = { web_search_options: {} }
    const whole = await answered(json(200, said(parts, 'STOP', { groundingMetadata })), more)
    expect(whole.choices[0].message).toMatchObject(message)
    const pieces = [...parts.map((part) => piece(part)), said([], 'STOP', { groundingMetadata })]
    const deltas = deltasOf((await streamed(pieces, more)).chunks) as Record<string, unknown>[]
    expect(deltas.map(({ content = '' }) => content).join('')).toBe(message.content)
    expect(deltas.find((delta) => 'images' in delta)).toEqual({ images: message.images })
    expect(deltas.find((delta) => 'annotations' in delta)).toEqual({ annotations: message.annotations })
    expect(bodies()[0]?.tools).toEqual([{ googleSearch: {} }])
  })

  it('tells log probabilities', async () => {
    const logprobsResult = {
      chosenCandidates: [{ token: 'é', tokenId: 1, logProbability: -0.5 }],
      topCandidates: [{ candidates: [{ token: 'e', logProbability: -1 }] }],
    }
    const more = { logprobs: true, top_logprobs: 1 }
    const answer = await answered(json(200, said([{ text: 'é' }], 'STOP', { logprobsResult })), more)
    expect(answer.choices[0].logprobs.content).toEqual([
      {
        ...{ token: 'é', logprob: -0.5, bytes: [195, 169] },
        top_logprobs: [{ token: 'e', logprob: -1, bytes: [101] }],
      },
    ])
  })

  it.each<[string, string]>([
    ['STOP', 'stop'],
    ['MAX_TOKENS', 'length'],
    ['SAFETY', 'content_filter'],
    ['RECITATION', 'content_filter'],
    ['LANGUAGE', 'content_filter'],
    ['PROHIBITED_CONTENT', 'content_filter'],
    ['IMAGE_SAFETY', 'content_filter'],
    ['OTHER', 'content_filter'],
    ['MALFORMED_FUNCTION_CALL', 'stop'],
    ['NEWER_THAN_THIS', 'stop'],
  ])('says of an end with %s what clients know: %s', async (reason, wanted) => {
    const whole = await answered(json(200, said([{ text: 'Hi' }], reason)))
    expect(whole.choices[0].finish_reason).toBe(wanted)
    const { chunks } = await streamed([piece({ text: 'Hi' }), said([], reason)])
    expect(chunks.at(-1).choices[0].finish_reason).toBe(wanted)
  })

  it('answers a prompt that was blocked with nothing, as filtered', async () => {
    const blocked = { promptFeedback: { blockReason: 'PROHIBITED_CONTENT' }, usageMetadata, ...head }
    const whole = await answered(json(200, blocked))
    expect(whole.choices).toMatchObject([{ message: { content: '' }, finish_reason: 'content_filter' }])
    const { chunks, done } = await streamed([blocked])
    expect(chunks.map(({ choices }) => choices[0].finish_reason)).toEqual(['content_filter'])
    expect(done).toBe(true)
  })

  it('is asked for several choices one by one', async () => {
    const answer = await answered(json(200, said([{ text: 'Hi' }])), { n: 2 })
    expect(answer.choices).toHaveLength(2)
    expect(upstream.seen).toHaveLength(2)
  })
})
