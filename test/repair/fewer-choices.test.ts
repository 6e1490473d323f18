import OpenAI from 'openai'
import { describe, expect, it } from 'vitest'
import { eventsOf } from '../support/ask.ts'
import { runtimes, serveBoth } from '../support/both.ts'
import { chatAnswer, chatFrames, json, type Seen, stream } from '../support/upstream.ts'

const { upstream, both } = serveBoth('fewer-choices', (url) => ({
  providers: { lab: { type: 'openai-compatible', baseURL: `${url}/v1` } },
  retries: 0,
}))

const asked = { model: 'lab/m', messages: [{ role: 'user' as const, content: 'hi' }], n: 2 }
const chunk = (index: number, delta: object, finish: string | null = null) =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index, delta, finish_reason: finish }] })}\n\n`
const done = 'data: [DONE]\n\n'

const usageText = '{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}'
const usageChunk = `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[],"usage":${usageText}}\n\n`

/** What a chunk says of a choice, after its index. */
function pieceOf(data: string): string {
  if (data === '[DONE]') return data
  const [choice] = JSON.parse(data).choices as {
    index: number
    delta: { content?: string }
    finish_reason: string | null
  }[]
  return choice ? `${choice.index}${choice.finish_reason ?? choice.delta.content ?? ''}` : ''
}

/**
 * Many servers ignore `n` (ollama/ollama#7518, abetlen/llama-cpp-python#1906, InternLM/lmdeploy#4073,
 * vllm-project/vllm-omni#4269). What they say in a stream is right and paid for, and how many choices there are is plain
 * to see.
 */
describe.each(runtimes)('Two choices asked of a server that gives one, on %s,', (runtime) => {
  const client = () => new OpenAI({ baseURL: both.addresses[runtime], apiKey: both.key, maxRetries: 0 })

  it('are two in a whole answer: the gateway asks for the other', async () => {
    upstream.script(json(200, chatAnswer('Hello')), json(200, chatAnswer('Hi')))
    const { choices } = await client().chat.completions.create({ ...asked, model: 'lab/whole' })
    expect(choices.map(({ index, message }) => [index, message.content])).toEqual([
      [0, 'Hello'],
      [1, 'Hi'],
    ])
  })

  it('are two in its first stream: the other follows, before the end', async () => {
    upstream.script(stream(chatFrames('Hello', ' there')), stream(chatFrames('Hi')))
    const model = 'lab/streams'
    const { text } = await both.ask(runtime, { ...asked, model, stream: true })
    const [first, rest] = [chatFrames('Hello', ' there').slice(0, -1).join(''), eventsOf(text).slice(4)]
    expect(text.startsWith(first)).toBe(true)
    expect(rest.map(({ data }) => pieceOf(data))).toEqual(['1', '1Hi', '1stop', '[DONE]'])
    upstream.script(stream(chatFrames('Hello')))
    const before = upstream.seen.length
    const { choices } = await client()
      .chat.completions.stream({ ...asked, model })
      .finalChatCompletion()
    expect(choices.map(({ message }) => message.content)).toEqual(['Hello', 'Hello'])
    expect(upstream.seen.slice(before).map(({ body }) => JSON.parse(body).n)).toEqual([undefined, undefined])
  })

  it.each([
    ['in a chunk of its own', [chunk(0, {}, 'stop'), usageChunk]],
    ['in the last chunk of the choice', [chunk(0, {}, 'stop').replace('}]}', `}],"usage":${usageText}}`)]],
  ])('are paid for together, also where the server tells the usage %s', async (how, last) => {
    const frames = [chunk(0, { role: 'assistant', content: 'a' }), ...last, done]
    upstream.script(stream(frames))
    const model = `lab/usage-${how.length}`
    const ask = { ...asked, model, n: 3, stream: true, stream_options: { include_usage: true } }
    for (const time of ['first', 'second']) {
      const events = eventsOf((await both.ask(runtime, ask)).text).map(({ data }) => data)
      const usages = events.filter((data) => data.includes('"total_tokens"')).map((data) => JSON.parse(data))
      expect([time, usages]).toMatchObject([
        time,
        [{ choices: [], usage: { prompt_tokens: 9, completion_tokens: 6, total_tokens: 15 } }],
      ])
      expect(events.at(-1)).toBe('[DONE]')
      expect(new Set(events.flatMap((data) => pieceOf(data).match(/^\d/) ?? []))).toEqual(new Set(['0', '1', '2']))
    }
  })

  it('are three where it gives two of them, whole and in a stream', async () => {
    const choice = (index: number) => ({ ...chatAnswer(`c${index}`), index })
    const choices = [0, 1].map((index) => ({
      ...{ index, message: { role: 'assistant', content: `c${index}` }, finish_reason: 'stop' },
    }))
    upstream.script(json(200, { ...chatAnswer('x'), choices }), json(200, choice(2)))
    const whole = await client().chat.completions.create({ ...asked, n: 3, model: 'lab/two-whole' })
    expect(whole.choices.map(({ index, message }) => [index, message.content])).toEqual([
      [0, 'c0'],
      [1, 'c1'],
      [2, 'c2'],
    ])
    const two = [0, 1].flatMap((index) => [chunk(index, { role: 'assistant', content: 'x' }), chunk(index, {}, 'stop')])
    upstream.script(stream([...two, done]), stream(chatFrames('y')))
    const { text } = await both.ask(runtime, { ...asked, n: 3, model: 'lab/two-streams', stream: true })
    expect(eventsOf(text).map(({ data }) => pieceOf(data))).toEqual([
      '0x',
      '0stop',
      '1x',
      '1stop',
      '2',
      '2y',
      '2stop',
      '[DONE]',
    ])
  })

  it('are byte for byte what the server sends where it gives all of them', async () => {
    const both2 = [0, 1].map((index) => chunk(index, { role: 'assistant', content: 'x' }))
    const frames = [
      ': hello\n\n',
      ...both2,
      ': still here\n\n',
      chunk(1, {}, 'stop'),
      chunk(0, {}, 'stop'),
      usageChunk,
      done,
    ]
    upstream.script(stream(frames))
    const ask = { ...asked, model: 'lab/all', stream: true, stream_options: { include_usage: true } }
    expect((await both.ask(runtime, ask)).text).toBe(frames.join(''))
  })

  it('are an error event where the second one can’t be had', async () => {
    upstream.script(stream(chatFrames('Hello')), json(500, { error: { message: 'out of luck' } }))
    const { text } = await both.ask(runtime, { ...asked, model: 'lab/second-fails', stream: true })
    expect(text.startsWith(chatFrames('Hello').slice(0, -1).join(''))).toBe(true)
    expect(text).toMatch(/data: \{"error":\{"message":"[^"]*out of luck/)
    expect(text).not.toContain('[DONE]')
  })

  it('are an error event for several prompts, whose choices have gone out with other indexes, and right the next time', async () => {
    const text = (index: number) =>
      `data: ${JSON.stringify({ id: 'c', object: 'text_completion', created: 1, model: 'm', choices: [{ index, text: 't', finish_reason: 'stop' }] })}\n\n`
    upstream.script(stream([text(0), text(1), done]))
    const ask = { model: 'lab/prompts', prompt: ['a', 'b'], n: 2, stream: true }
    const first = await both.ask(runtime, ask, '/completions')
    expect(first.text).toContain('"code":"upstream_invalid_response"')
    expect(first.text).not.toContain('[DONE]')
    const second = eventsOf((await both.ask(runtime, ask, '/completions')).text)
    const indexes = second.flatMap(({ data }) => (data === '[DONE]' ? [] : [JSON.parse(data).choices[0].index]))
    expect(indexes.toSorted()).toEqual([0, 1, 2, 3])
  })

  it('are four for two prompts in a whole answer', async () => {
    const answer = (...texts: string[]) =>
      json(200, { ...chatAnswer('x'), choices: texts.map((text, index) => ({ index, text, finish_reason: 'stop' })) })
    upstream.script(answer('a0', 'b0'), answer('a1', 'b1'))
    const { choices } = await client().completions.create({ model: 'lab/prompts-whole', prompt: ['a', 'b'], n: 2 })
    expect(choices.map(({ text }) => text)).toEqual(['a0', 'a1', 'b0', 'b1'])
  })

  // A Worker notices it at its next comment in the silence.
  it.runIf(runtime === 'node')('leave nothing running where the client leaves between them', async () => {
    const second = Promise.withResolvers<Seen>()
    upstream.script(stream(chatFrames('Hello')), (request) => second.resolve(request))
    const abort = new AbortController()
    const response = await fetch(`${both.addresses[runtime]}/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${both.key}` },
      body: JSON.stringify({ ...asked, model: 'lab/left', stream: true }),
      signal: abort.signal,
    })
    const reader = response.body?.getReader()
    await reader?.read()
    const { abandoned } = await second.promise
    abort.abort()
    await abandoned
  })

  it('are a stream that broke off if the second one has begun', async () => {
    const begun = [chunk(0, { role: 'assistant', content: 'a' }), chunk(1, { role: 'assistant', content: 'b' })]
    upstream.script(stream([...begun, chunk(0, {}, 'stop'), done]))
    await expect(client().chat.completions.stream(asked).finalChatCompletion()).rejects.toMatchObject({
      code: 'upstream_stream_truncated',
    })
  })

  it('are two where the server gives both, in whatever order', async () => {
    const begun = [chunk(1, { role: 'assistant', content: 'b' }), chunk(0, { role: 'assistant', content: 'a' })]
    upstream.script(stream([...begun, chunk(1, {}, 'stop'), chunk(0, {}, 'length'), done]))
    const pieces: string[] = []
    for await (const { choices } of await client().chat.completions.create({ ...asked, stream: true })) {
      for (const { index, delta, finish_reason: finish } of choices) pieces.push(`${index}${delta.content ?? finish}`)
    }
    expect(pieces).toEqual(['1b', '0a', '1stop', '0length'])
  })
})
