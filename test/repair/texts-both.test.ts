import { describe, expect, it } from 'vitest'
import { chunksOf } from '../contract/read.ts'
import { runtimes, serveBoth } from '../support/both.ts'
import { clients, readers } from '../support/parsers.ts'
import { chunk, json, stream } from '../support/upstream.ts'
import { plain, tools, written } from './textual-forms.ts'

const { upstream, both } = serveBoth('textual-answers', (url) => ({
  providers: { lab: { type: 'openai-compatible', baseURL: `${url}/v1` } },
  models: {
    untouched: { deployments: ['lab/m'], thinkTags: false, textualCalls: false },
    implied: { deployments: ['lab/m'], thinkTags: 'implied' },
  },
  retries: 0,
}))

const messages = [{ role: 'user', content: 'hi' }]
const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 }
const done = 'data: [DONE]\n\n'
const spent = `data: ${JSON.stringify({ ...JSON.parse(chunk({}).slice(6)), choices: [], usage })}\n\n`

/** The events of a stream with a text, some characters each. */
const eventsOf = (text: string) => [
  chunk({ role: 'assistant', content: '' }),
  ...(text.match(/[\s\S]{1,5}/g) ?? []).map((content) => chunk({ content })),
  chunk({}, 'stop'),
  spent,
  done,
]

const answerOf = (message: object) => ({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1_700_000_000,
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: 'stop' }],
  usage,
})

describe.each(runtimes)('A model that writes into its text what belongs elsewhere, on %s,', (runtime) => {
  const ask = async (body: object) => {
    const { text, status } = await both.ask(runtime, { model: 'lab/m', messages, ...body })
    expect(status, text).toBe(200)
    return text
  }
  const asked = { tools, stream: true, stream_options: { include_usage: true } }

  it.each(written)('is read by every client of a stream: $what', async ({ text, content = '', calls = [] }) => {
    upstream.script(stream(eventsOf(text)))
    const got = await ask(asked)
    const said = calls.map(([name, given]) => ({ name, arguments: given }))
    const finish = calls.length > 0 ? 'tool_calls' : 'stop'
    for (const [client, parse] of Object.entries({ ...clients, ...readers }))
      expect(await parse(got), `${client}: ${got}`).toEqual({ text: content, calls: said, finish, usage })
  })

  it.each(written)('says the same whole: $what', async ({ text, content = '', reasoning, calls = [] }) => {
    upstream.script(json(200, answerOf({ content: text })))
    const { message, finish_reason } = JSON.parse(await ask({ tools })).choices[0]
    expect(message.content ?? '').toBe(content)
    expect(message.reasoning_content).toBe(reasoning)
    expect((message.tool_calls ?? []).map((call: { function: object }) => call.function)).toEqual(
      calls.map(([name, given]) => ({ name, arguments: given })),
    )
    expect(finish_reason).toBe(calls.length > 0 ? 'tool_calls' : 'stop')
  })

  it('is left alone byte for byte where there is nothing of the kind, or nothing is to be read', async () => {
    const call = '<tool_call>{"name": "now"}</tool_call>'
    for (const [text, body] of [
      ['Hello, <think> is a tag', { stream: true }],
      ['Hello', { stream: true, tools }],
      [call, { stream: true }],
      [call, { stream: true, tools, tool_choice: 'none' }],
      [call, { stream: true, tools, model: 'untouched' }],
      [`<think>Hm.</think>${call}`, { stream: true, tools, model: 'untouched' }],
    ] as const) {
      const events = eventsOf(text).filter((event) => event !== spent)
      upstream.script(stream(events))
      expect(await ask(body), text).toBe(events.join(''))
      upstream.script(json(200, answerOf({ content: text })))
      expect(await ask({ ...body, stream: false }), text).toBe(JSON.stringify(answerOf({ content: text })))
    }
  })

  it.each(plain)('loses nothing of a text that only looks like a call: %j', async (text) => {
    upstream.script(stream(eventsOf(text)))
    expect(await readers['a strict schema']?.(await ask(asked))).toMatchObject({ text, calls: [], finish: 'stop' })
  })

  it('needs no opening tag where the configuration says that its prompt has it', async () => {
    upstream.script(stream(eventsOf('Hm.</think>Hello')))
    const deltas = chunksOf(await ask({ model: 'implied', stream: true })).flatMap(({ choices }) => choices)
    expect(deltas.map(({ delta }) => delta?.reasoning_content ?? '').join('')).toBe('Hm.')
    expect(deltas.map(({ delta }) => delta?.content ?? '').join('')).toBe('Hello')
  })

  it('has its reasoning under the usual name also where the same keys came without any before', async () => {
    const deltas = [
      { content: 'a', reasoning: '' },
      { content: 'b', reasoning: '' },
      { content: '', reasoning: 'Hm.' },
    ]
    upstream.script(
      stream([chunk({ role: 'assistant' }), ...deltas.map((delta) => chunk(delta)), chunk({}, 'stop'), done]),
    )
    const said = chunksOf(await ask({ stream: true })).map(({ choices }) => choices[0]?.delta?.reasoning_content)
    expect(said).toEqual([undefined, undefined, undefined, 'Hm.', undefined])
  })

  it('has its reasoning under the usual name beside its own', async () => {
    upstream.script(
      stream([chunk({ role: 'assistant', reasoning: 'Hm.' }), chunk({ content: 'x' }), chunk({}, 'stop'), done]),
    )
    const [first] = chunksOf(await ask({ stream: true }))
    expect(first?.choices[0]?.delta).toEqual({ role: 'assistant', reasoning: 'Hm.', reasoning_content: 'Hm.' })
    upstream.script(json(200, answerOf({ content: 'x', reasoning: 'Hm.' })))
    expect(JSON.parse(await ask({})).choices[0].message).toMatchObject({ reasoning: 'Hm.', reasoning_content: 'Hm.' })
  })

  it('is read where a stream comes though none was asked for, and the other way round', async () => {
    const text = '<think>Hm.</think><tool_call>{"name": "now"}</tool_call>'
    upstream.script(stream(eventsOf(text)))
    const whole = JSON.parse(await ask({ tools })).choices[0]
    expect(whole).toMatchObject({
      message: { reasoning_content: 'Hm.', tool_calls: [{}] },
      finish_reason: 'tool_calls',
    })
    upstream.script(json(200, answerOf({ content: text })))
    const said = await readers['a strict schema']?.(await ask(asked))
    expect(said).toMatchObject({ text: '', calls: [{ name: 'now', arguments: '{}' }], finish: 'tool_calls' })
  })

  it('is read where a server counts its chunks as if each was a choice', async () => {
    const [first = '', ...rest] = eventsOf('<tool_call>{"name": "now"}</tool_call>')
    const counted = rest.map((event, at) => event.replace('"index":0', `"index":${at + 1}`))
    upstream.script(stream([first, ...counted]))
    const said = await readers['a strict schema']?.(await ask(asked))
    expect(said).toMatchObject({ text: '', calls: [{ name: 'now', arguments: '{}' }], finish: 'tool_calls' })
  })

  it('that breaks off in a call ends with an error, and the next request is answered', async () => {
    upstream.script(stream(eventsOf('a<tool_call>{"name": "now"').slice(0, -3)))
    const got = await ask(asked)
    expect(got).toContain('upstream_stream_truncated')
    expect(got).not.toContain('[DONE]')
    upstream.script(stream(eventsOf('Hello')))
    expect(await ask(asked)).toContain('[DONE]')
  })
})
