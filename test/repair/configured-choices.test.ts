import { beforeEach, describe, expect, it } from 'vitest'
import type { Explanation } from '../../src/explain.ts'
import { streams } from '../support/anthropic.ts'
import { block, message } from '../support/anthropic-events.ts'
import { chat, eventsOf } from '../support/ask.ts'
import { runtimes, serveBoth } from '../support/both.ts'
import { said } from '../support/gemini.ts'
import { hostOf } from '../support/ollama.ts'
import { chatAnswer, json, type Script } from '../support/upstream.ts'

const text = { type: 'text', text: 'Hello' }

/** Answers in the words of whichever API it is asked in. */
const answers: Script = (request, ...rest) => {
  const { path, body } = request
  const isStream = (JSON.parse(body) as { stream?: boolean }).stream === true
  const claude = isStream
    ? streams(block(0, { type: 'text', text: '' }, { type: 'text_delta', text: 'Hello' }))
    : json(200, message([text]))
  const gemini = json(200, said([{ text: 'Hello' }]))
  const ollama = json(200, { model: 'm', message: { role: 'assistant', content: 'Hello' }, done: true })
  const script = /messages$/.test(path) ? claude : /generateContent/.test(path) ? gemini : ollama
  return (/completions$/.test(path) ? json(200, chatAnswer('Hello')) : script)(request, ...rest)
}

const { upstream, both } = serveBoth(
  'configured-choices',
  (url) => {
    const apiKey = 'env:KEY'
    const forced = (model: string) => ({ deployments: [{ model, overrides: { n: 3 } }] })
    return {
      providers: {
        anthropic: { type: 'anthropic', baseURL: url, apiKey },
        gemini: { type: 'gemini', baseURL: url, apiKey },
        ollama: { type: 'ollama', baseURL: url },
        lab: { type: 'openai-compatible', baseURL: `${url}/v1` },
      },
      models: {
        anthropic: forced('anthropic/claude-sonnet-4-5'),
        gemini: forced('gemini/gemini-3-flash'),
        ollama: forced('ollama/m'),
        lab: forced('lab/m'),
        usual: {
          deployments: [{ model: 'anthropic/claude-sonnet-4-5', params: { n: 3, seed: 7 }, dropParams: ['seed'] }],
        },
      },
      retries: 0,
    }
  },
  { env: { KEY: 'sk-1' } },
)

describe.each(runtimes)('A configuration that asks for several choices, on %s,', (runtime) => {
  beforeEach(() => {
    upstream.script(answers)
    upstream.seen.length = 0
  })

  const asked = () => upstream.seen.map(({ body }) => JSON.parse(body) as { n?: number; messages?: unknown })
  const choicesOf = async (body: object) => {
    const { status, text } = await both.ask(runtime, body)
    expect([status, text]).toEqual([200, expect.any(String)])
    return (JSON.parse(text) as { choices: { index: number }[] }).choices.map(({ index }) => index)
  }

  it.each(['anthropic', 'gemini', 'ollama'])('gets them one by one of %s', async (model) => {
    expect(await choicesOf(chat(model))).toEqual([0, 1, 2])
    expect(asked().map(({ n }) => n)).toEqual([undefined, undefined, undefined])
    expect(await choicesOf(chat(model, { n: 2 }))).toEqual([0, 1, 2])
  })

  it('gets them in one stream', async () => {
    const { text } = await both.ask(runtime, chat('anthropic', { stream: true }))
    const chunks = eventsOf(text)
      .filter(({ data }) => data !== '[DONE]')
      .map(({ data }) => JSON.parse(data) as { choices: { index: number }[] })
    expect(new Set(chunks.flatMap(({ choices }) => choices.map(({ index }) => index)))).toEqual(new Set([0, 1, 2]))
    expect(upstream.seen).toHaveLength(3)
  })

  it('gets as many as a client asks for instead, where it only says what is usual', async () => {
    expect(await choicesOf(chat('usual'))).toEqual([0, 1, 2])
    expect(await choicesOf(chat('usual', { n: 2 }))).toEqual([0, 1])
    expect(await choicesOf(chat('usual', { n: 1 }))).toEqual([0])
    expect(upstream.seen).toHaveLength(6)
  })

  it('gets the others of a server that says nothing and gives one', async () => {
    expect(await choicesOf(chat('lab'))).toEqual([0, 1, 2])
    expect(asked().map(({ n }) => n)).toEqual([3, undefined, undefined])
  })

  it('is told so before it asks', async () => {
    const { text } = await both.ask(runtime, chat('anthropic'), '/explain')
    const { attempts } = JSON.parse(text) as Explanation
    expect(attempts).toMatchObject([{ dropped: [], refusal: null }])
  })

  const user = { messages: [{ role: 'user', content: 'hi' }], max_tokens: 9 }
  const contents = { contents: [{ role: 'user', parts: [{ text: 'hi' }] }] }

  it.each(
    ['anthropic', 'gemini', 'ollama', 'lab'].flatMap(
      (model) =>
        [
          [model, '/v1/messages', { model, ...user }],
          [model, '/v1/responses', { model, input: 'hi' }],
          [model, `/v1beta/models/${model}:generateContent`, contents],
          // Ollama's own server looks at no such field.
          ...(model === 'ollama' ? [] : [[model, '/api/chat', { model, ...user, stream: false }] as const]),
        ] as const,
    ),
  )('asks %s for one where the client has room for one: %s', async (_, path, body) => {
    const answer = await fetch(hostOf(both, runtime) + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${both.key}` },
      body: JSON.stringify(body),
    })
    expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining('Hello')])
    expect(asked()).toHaveLength(1)
    expect(asked()[0]).not.toHaveProperty('n')
  })
})
