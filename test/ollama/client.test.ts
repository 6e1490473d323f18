import { Ollama } from 'ollama'
import { describe, expect, it } from 'vitest'
import { runtimes, serveBoth } from '../support/both.ts'
import { hostOf } from '../support/ollama.ts'
import { callAnswer, chatAnswer, chatFrames, json, stream } from '../support/upstream.ts'

const { upstream, both } = serveBoth('ollama-client', (url) => ({
  providers: { up: { type: 'openai-compatible', baseURL: url }, demo: { type: 'embedded' } },
}))

const messages = [{ role: 'user', content: 'hi' }]

describe.each(runtimes)('On %s, the ollama package', (runtime) => {
  const client = () => new Ollama({ host: hostOf(both, runtime), headers: { authorization: `Bearer ${both.key}` } })

  it('chats', async () => {
    upstream.script(json(200, chatAnswer('Hello!')))
    expect(await client().chat({ model: 'up/m', messages })).toMatchObject({
      message: { content: 'Hello!' },
      done: true,
    })
  })

  it('streams a chat, to its end', async () => {
    upstream.script(stream(chatFrames('Hel', 'lo')))
    let text = ''
    for await (const part of await client().chat({ model: 'up/m', messages, stream: true }))
      text += part.message.content
    expect(text).toBe('Hello')
  })

  it('calls tools', async () => {
    upstream.script(json(200, callAnswer('weather')))
    const tools = [{ type: 'function', function: { name: 'weather', parameters: { type: 'object', properties: {} } } }]
    const { message } = await client().chat({ model: 'up/m', messages, tools })
    expect(message.tool_calls).toEqual([{ id: 'call_0', function: { index: 0, name: 'weather', arguments: {} } }])
  })

  it('generates, embeds, lists and shows', async () => {
    const { response } = await client().generate({ model: 'demo/tiny-chat', prompt: 'hi', options: { temperature: 0 } })
    expect(response).toBe('Hello! How can I help you?')
    const { embeddings } = await client().embed({ model: 'demo/tiny-chat', input: ['a', 'b'] })
    expect(embeddings).toHaveLength(2)
    const { models } = await client().list()
    expect(models.map(({ name }) => name)).toContain('demo/tiny-chat:latest')
    expect((await client().show({ model: 'demo/tiny-chat' })).capabilities).toContain('completion')
    expect((await client().ps()).models).toHaveLength(models.length)
    expect((await client().version()).version).toMatch(/^\d+\.\d+\.\d+$/)
  })

  it('throws what went wrong, before a stream and in it', async () => {
    await expect(client().chat({ model: 'nope', messages })).rejects.toMatchObject({
      ...{ status_code: 404, error: "model 'nope' not found" },
    })
    upstream.script(stream(chatFrames('Hel', 'lo').slice(0, 3)))
    const read = async () => {
      for await (const part of await client().chat({ model: 'up/m', messages, stream: true }))
        expect(part.done).toBe(false)
    }
    await expect(read()).rejects.toThrow(/ended its stream/)
  })
})
