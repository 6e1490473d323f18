import OpenAI from 'openai'
import { describe, expect, it } from 'vitest'
import { runtimes, serveBoth } from '../support/both.ts'
import { chatAnswer, chatFrames, json, stream } from '../support/upstream.ts'

const { upstream, both } = serveBoth('fewer-choices', (url) => ({
  providers: { lab: { type: 'openai-compatible', baseURL: `${url}/v1` } },
  retries: 0,
}))

const asked = { model: 'lab/m', messages: [{ role: 'user' as const, content: 'hi' }], n: 2 }
const chunk = (index: number, delta: object, finish: string | null = null) =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index, delta, finish_reason: finish }] })}\n\n`
const done = 'data: [DONE]\n\n'

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

  it('are one choice in its first stream, as it came, and two from the next one on', async () => {
    upstream.script(stream(chatFrames('Hello', ' there')))
    const model = 'lab/streams'
    expect((await both.ask(runtime, { ...asked, model, stream: true })).text).toBe(
      chatFrames('Hello', ' there').join(''),
    )
    const { choices } = await client()
      .chat.completions.stream({ ...asked, model })
      .finalChatCompletion()
    expect(choices.map(({ message }) => message.content)).toEqual(['Hello there', 'Hello there'])
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
