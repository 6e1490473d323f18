import { beforeEach, describe, expect, it } from 'vitest'
import type { Config } from '../../src/config/schema.ts'
import { chat, errorOf, eventsOf } from '../support/ask.ts'
import { runtimes, serveBoth } from '../support/both.ts'
import { chatAnswer, chunk, json, type Script, type Seen, stream, text } from '../support/upstream.ts'

const configOf = (url: string): Config => ({
  providers: {
    tgi: { type: 'huggingface', apiKey: 'env:KEY', endpointUrl: url, engine: 'tgi' },
    ollama: { type: 'ollama', baseURL: url },
    any: { type: 'openai-compatible', baseURL: url },
    other: { type: 'openai-compatible', baseURL: `${url}/other` },
  },
  retries: 0,
  models: { relieved: { deployments: ['tgi/x'], fallbacks: ['other/y'] } },
})

const { upstream, both } = serveBoth('choices', configOf, { env: { KEY: 'k-of-the-provider' } })

type Body = Record<string, unknown> & { readonly n?: number; readonly seed?: number; readonly stream?: boolean }
const bodyOf = ({ body }: Seen) => JSON.parse(body) as Body
const bodies = () => upstream.seen.map(bodyOf)

interface Whole {
  readonly id: string
  readonly model: string
  readonly choices: {
    readonly index: number
    readonly text?: string
    readonly message?: { readonly content: string }
  }[]
  readonly usage: Record<string, unknown>
}

interface Piece {
  readonly index: number
  readonly delta: { readonly role?: string; readonly content?: string }
  readonly finish_reason: string | null
}

interface Chunk extends Omit<Whole, 'choices'> {
  readonly created: number
  readonly choices: readonly Piece[]
}

const wholeOf = (reply: { readonly text: string }) => JSON.parse(reply.text) as Whole
const chunksOf = (reply: { readonly text: string }) =>
  eventsOf(reply.text)
    .filter(({ data }) => data !== '[DONE]')
    .map(({ data }) => JSON.parse(data) as Chunk)

/** What the choice with an index says, of which there is exactly one finish. */
function saidBy(chunks: readonly Chunk[], index: number): { readonly said: string; readonly finishes: unknown[] } {
  const pieces = chunks.flatMap(({ choices }) => choices.filter((choice) => choice.index === index))
  return {
    said: pieces.map(({ delta }) => delta.content ?? '').join(''),
    finishes: pieces.map(({ finish_reason: reason }) => reason).filter(Boolean),
  }
}

const words = ['zero', 'one', 'two', 'three', 'four', 'five', 'six']

/** Answers the requests with one word each, by their order. */
function wordFor(request: Seen): string {
  return words[upstream.seen.indexOf(request)] as string
}

const answering: Script = (request, ...rest) => json(200, chatAnswer(wordFor(request)))(request, ...rest)

const usageChunk = `data: ${JSON.stringify({ id: 'u', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [], usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 } })}\n\n`

const frames = (word: string) => [
  chunk({ role: 'assistant', content: '' }),
  chunk({ content: word }),
  chunk({ content: '!' }),
  chunk({}, 'stop'),
]

const streaming: Script = (request, ...rest) =>
  stream([...frames(wordFor(request)), usageChunk, 'data: [DONE]\n\n'])(request, ...rest)

describe.each(runtimes)('Several choices of a model that makes one at once, on %s,', (runtime) => {
  beforeEach(() => {
    upstream.seen.length = 0
    upstream.script(answering)
  })

  it('come from as many requests as one answer, whose usage is the sum', async () => {
    const reply = await both.ask(runtime, chat('tgi/x', { n: 3, temperature: 0.5 }))
    expect(reply.status).toBe(200)
    const { choices, usage } = wholeOf(reply)
    expect(choices.map(({ index }) => index)).toEqual([0, 1, 2])
    expect(choices.map(({ message }) => message?.content).sort()).toEqual(['one', 'two', 'zero'])
    expect(usage).toEqual({ prompt_tokens: 9, completion_tokens: 6, total_tokens: 15 })
    expect(bodies()).toEqual(Array.from({ length: 3 }, () => chat('x', { temperature: 0.5 })))
  })

  it('differ although a seed is given', async () => {
    await both.ask(runtime, chat('tgi/x', { n: 3, seed: 7 }))
    expect(
      bodies()
        .map(({ seed }) => seed)
        .sort(),
    ).toEqual([7, 8, 9])
  })

  it('come from a model with a wire of its own', async () => {
    upstream.script(json(200, { model: 'x', message: { role: 'assistant', content: 'hi' }, done: true, eval_count: 2 }))
    const { choices, usage } = wholeOf(await both.ask(runtime, chat('ollama/x', { n: 2 })))
    expect(choices.map(({ index, message }) => [index, message?.content])).toEqual([
      [0, 'hi'],
      [1, 'hi'],
    ])
    expect(usage).toMatchObject({ completion_tokens: 4, completion_tokens_details: { reasoning_tokens: 0 } })
  })

  it('come in one stream, each with its index and one finish, and with the usage at the end', async () => {
    upstream.script(streaming)
    const asked = chat('tgi/x', { n: 6, stream: true, stream_options: { include_usage: true } })
    const reply = await both.ask(runtime, asked)
    expect(eventsOf(reply.text).filter(({ data }) => data === '[DONE]')).toHaveLength(1)
    expect(eventsOf(reply.text).at(-1)?.data).toBe('[DONE]')
    const chunks = chunksOf(reply)
    const said = Array.from({ length: 6 }, (_, index) => saidBy(chunks, index))
    expect(said.map((one) => one.said).sort()).toEqual(['five!', 'four!', 'one!', 'three!', 'two!', 'zero!'])
    expect(said.map(({ finishes }) => finishes)).toEqual(Array.from({ length: 6 }, () => ['stop']))
    for (const key of ['id', 'created', 'model'] as const) expect(new Set(chunks.map((one) => one[key])).size).toBe(1)
    expect(chunks.at(-1)).toMatchObject({
      choices: [],
      usage: { prompt_tokens: 18, completion_tokens: 12, total_tokens: 30 },
    })
    expect(upstream.seen).toHaveLength(6)
  })

  it('come in a stream without usage unless it is asked for', async () => {
    upstream.script((request, ...rest) => stream([...frames(wordFor(request)), 'data: [DONE]\n\n'])(request, ...rest))
    const chunks = chunksOf(await both.ask(runtime, chat('tgi/x', { n: 2, stream: true })))
    expect(chunks.filter(({ usage }) => usage)).toEqual([])
    expect([0, 1].map((index) => saidBy(chunks, index).finishes)).toEqual([['stop'], ['stop']])
  })

  it.each(['reset', 'end'] as const)(
    'break off together in a stream, with one error and no end: by a %s',
    async (after) => {
      upstream.script((request, ...rest) =>
        (wordFor(request) === 'one' ? stream(frames('half').slice(0, 2), after) : streaming)(request, ...rest),
      )
      const reply = await both.ask(runtime, chat('tgi/x', { n: 2, stream: true }))
      const events = eventsOf(reply.text)
      expect(JSON.parse(events.at(-1)?.data ?? '')).toMatchObject({ error: { type: 'server_error' } })
      expect(events.filter(({ data }) => data.includes('"error":{'))).toHaveLength(1)
      expect(reply.text).not.toContain('[DONE]')
      expect((await both.ask(runtime, chat('tgi/x'))).status).toBe(200)
    },
  )

  it('end with the error that one of their streams reports', async () => {
    const told = 'data: {"error":{"message":"out of memory","type":"server_error"}}\n\n'
    upstream.script((request, ...rest) =>
      (wordFor(request) === 'one' ? stream([...frames('half').slice(0, 2), told]) : streaming)(request, ...rest),
    )
    const reply = await both.ask(runtime, chat('tgi/x', { n: 2, stream: true }))
    expect(JSON.parse(eventsOf(reply.text).at(-1)?.data ?? '')).toMatchObject({ error: { message: 'out of memory' } })
    expect(reply.text).not.toContain('[DONE]')
  })

  it.each([false, true])(
    'all come from another deployment if one of them fails before it begins (stream: %s)',
    async (streams) => {
      const failing: Script = (request, ...rest) => {
        if (request.path.startsWith('/other')) {
          const two = {
            ...chatAnswer('other'),
            choices: [0, 1].map((index) => ({
              index,
              message: { role: 'assistant', content: 'other' },
              finish_reason: 'stop',
            })),
          }
          return json(200, two)(request, ...rest)
        }
        return (upstream.seen.indexOf(request) === 1 ? text(500, 'no') : streams ? streaming : answering)(
          request,
          ...rest,
        )
      }
      upstream.script(failing)
      const reply = await both.ask(runtime, chat('relieved', { n: 2, stream: streams }))
      expect([reply.status, reply.headers.get('x-samewire-model')]).toEqual([200, 'other/y'])
      expect(upstream.seen.filter(({ path }) => path.startsWith('/other')).map(bodyOf)).toMatchObject([{ n: 2 }])
    },
  )

  it('come from one that refuses more than one, from then on by requests of their own', async () => {
    const refusal = json(400, {
      error: { message: 'Only one completion choice is allowed', type: 'invalid_request_error', code: 400 },
    })
    upstream.script((request, ...rest) => (bodyOf(request).n ? refusal : answering)(request, ...rest))
    const model = `any/refusing-${runtime}`
    expect(wholeOf(await both.ask(runtime, chat(model, { n: 2 }))).choices).toHaveLength(2)
    expect(upstream.seen).toHaveLength(3)
    upstream.seen.length = 0
    expect(wholeOf(await both.ask(runtime, chat(model, { n: 2 }))).choices).toHaveLength(2)
    expect(upstream.seen).toHaveLength(2)
  })

  it('come from one that ignores how many are wanted, with the first answer for one of them', async () => {
    const model = `any/ignoring-${runtime}`
    const reply = wholeOf(await both.ask(runtime, chat(model, { n: 3, seed: 1 })))
    expect(reply.choices.map(({ index }) => index)).toEqual([0, 1, 2])
    expect(reply.choices[0]?.message?.content).toBe('zero')
    expect(reply.usage).toMatchObject({ total_tokens: 15 })
    expect(bodies().map(({ n, seed }) => [n, seed])).toEqual([
      [3, 1],
      [undefined, 2],
      [undefined, 3],
    ])
    upstream.seen.length = 0
    await both.ask(runtime, chat(model, { n: 2 }))
    expect(bodies().map(({ n }) => n)).toEqual([undefined, undefined])
  })

  it('come all from one that ignores in streams how many are wanted, from the second stream on at once', async () => {
    const model = `any/ignoring-in-streams-${runtime}`
    upstream.script(streaming)
    const asked = chat(model, { n: 2, stream: true })
    for (const _ of [1, 2]) {
      const chunks = chunksOf(await both.ask(runtime, asked))
      expect([0, 1].map((index) => saidBy(chunks, index).finishes)).toEqual([['stop'], ['stop']])
    }
    expect(bodies().map(({ n }) => n)).toEqual([2, undefined, undefined, undefined])
  })

  it('are asked for in one request again where a stream had them all, or broke off', async () => {
    const model = `any/able-in-streams-${runtime}`
    const second = chunk({ content: 'b' }, 'stop').replace('"index":0', '"index":1')
    const asked = chat(model, { n: 2, stream: true })
    upstream.script(
      stream([...frames('a'), second, 'data: [DONE]\n\n']),
      stream([...frames('a').slice(0, 2)], 'reset'),
      stream([...frames('a'), second, 'data: [DONE]\n\n']),
    )
    for (const _ of [1, 2, 3]) await both.ask(runtime, asked)
    expect(bodies().map(({ n }) => n)).toEqual([2, 2, 2])
  })

  it('pass as they are where the model makes them all', async () => {
    const two = {
      ...chatAnswer('a'),
      choices: ['a', 'b'].map((content, index) => ({
        index,
        message: { role: 'assistant', content, refusal: null },
        logprobs: null,
        finish_reason: 'stop',
      })),
    }
    upstream.script(json(200, two))
    expect((await both.ask(runtime, chat(`any/able-${runtime}`, { n: 2 }))).text).toBe(JSON.stringify(two))
    expect(upstream.seen).toHaveLength(1)
  })

  it('of several legacy prompts stand in the order of the prompts', async () => {
    const legacy = {
      id: 'cmpl-fake',
      object: 'text_completion',
      created: 1,
      model: 'm',
      choices: ['a', 'b'].map((one, index) => ({ index, text: one, logprobs: null, finish_reason: 'stop' })),
      usage: { prompt_tokens: 2, completion_tokens: 2, total_tokens: 4 },
    }
    upstream.script(json(200, legacy))
    const reply = await both.ask(runtime, { model: 'tgi/x', prompt: ['p', 'q'], n: 2 }, '/completions')
    expect(wholeOf(reply).choices.map(({ index, text: said }) => [index, said])).toEqual([
      [0, 'a'],
      [1, 'a'],
      [2, 'b'],
      [3, 'b'],
    ])
  })

  it('are refused if they are more than OpenAI makes', async () => {
    const reply = await both.ask(runtime, chat('tgi/x', { n: 10_000 }))
    expect(reply.status).toBe(400)
    expect(errorOf(reply)).toMatchObject({
      message: "Invalid 'n': integer above maximum value. Expected a value <= 128, but got 10000 instead.",
      param: 'n',
      code: 'integer_above_max_value',
    })
    expect(upstream.seen).toEqual([])
  })
})
