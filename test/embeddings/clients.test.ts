import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { OpenAIEmbeddings } from '@langchain/openai'
import OpenAI from 'openai'
import OpenAI4 from 'openai4'
import { beforeAll, describe, expect, it } from 'vitest'
import { runtimes, serveBoth } from '../support/both.ts'
import { base64, embeddingsOf, telling } from '../support/embeddings.ts'
import { json } from '../support/upstream.ts'

const { upstream, both } = serveBoth('embeddings-clients', (url) => ({
  providers: { u: { type: 'openai-compatible', baseURL: url }, demo: { type: 'embedded' } },
}))

beforeAll(() => upstream.script(telling))

describe.each(runtimes)('On %s', (runtime) => {
  const options = () => ({ baseURL: both.addresses[runtime], apiKey: both.key, maxRetries: 0 })
  const clients = [
    ['openai 7', (): OpenAI => new OpenAI(options())],
    ['openai 4', () => new OpenAI4(options()) as unknown as OpenAI],
  ] as const

  describe.each(clients)('%s', (_, open) => {
    it('gets vectors from an upstream that knows numbers only', async () => {
      const { data, usage } = await open().embeddings.create({ model: 'u/m', input: ['1', '22'] })
      // It asks for base64, and reads it.
      expect(JSON.parse(upstream.seen.at(-1)?.body ?? '').encoding_format).toBe('base64')
      expect(data.map(({ embedding }) => [...embedding])).toEqual([
        [1, 1],
        [2, 22],
      ])
      expect(usage).toEqual({ prompt_tokens: 2, total_tokens: 2 })
    })

    it('gets the same from one that knows base64', async () => {
      upstream.script(json(200, embeddingsOf([base64([0.5, -1.25])])))
      const { data } = await open().embeddings.create({ model: 'u/m', input: 'hi' })
      upstream.script(telling)
      expect([...(data[0]?.embedding ?? [])]).toEqual([0.5, -1.25])
    })

    it('gets numbers where it asks for them', async () => {
      const { data } = await open().embeddings.create({ model: 'u/m', input: 'hi', encoding_format: 'float' })
      expect(data[0]?.embedding).toEqual([2, 0])
    })

    it('gets vectors of the embedded model, the nearer the more alike the texts', async () => {
      const input = ['What is the weather in Paris?', 'How is the weather in Rome?', 'Write a poem about love.']
      const request = open().embeddings.create({ model: 'demo/tiny-chat', input })
      const { data, response } = await request.withResponse()
      const [paris, rome, love] = data.data.map(({ embedding }) => [...embedding]) as [number[], number[], number[]]
      const near = (one: number[], other: number[]) => one.reduce((sum, value, at) => sum + value * (other[at] ?? 0), 0)
      expect(near(paris, paris)).toBeCloseTo(1, 5)
      expect(near(paris, rome)).toBeGreaterThan(near(paris, love))
      expect(response.headers.get('x-samewire-notice')).toContain('demonstration')
      expect(data.usage.prompt_tokens).toBeGreaterThan(10)
    })

    it('raises an error that says what is wrong', async () => {
      const client = open()
      await expect(client.embeddings.create({ model: 'u/m', input: [] })).rejects.toMatchObject({ status: 400 })
      await expect(client.embeddings.create({ model: 'nowhere', input: 'x' })).rejects.toMatchObject({
        status: 404,
        code: 'model_not_found',
      })
      await expect(
        client.embeddings.create({ model: 'demo/tiny-chat', input: 'x', dimensions: 8 }),
      ).rejects.toMatchObject({
        status: 400,
        code: 'unsupported_parameter',
        param: 'dimensions',
      })
      await expect(
        client.embeddings.create({ model: 'demo/tiny-chat', input: 'x '.repeat(3000) }),
      ).rejects.toMatchObject({
        status: 400,
        code: 'context_length_exceeded',
      })
    })
  })

  it('LangChain gets vectors', async () => {
    const { baseURL, apiKey } = options()
    const embeddings = new OpenAIEmbeddings({ model: 'u/m', apiKey, configuration: { baseURL }, maxRetries: 0 })
    expect(await embeddings.embedDocuments(['1', '22'])).toEqual([
      [1, 1],
      [2, 22],
    ])
    expect(await embeddings.embedQuery('333')).toEqual([3, 333])
  })

  it('the AI SDK gets vectors', async () => {
    const model = createOpenAICompatible({ name: 'samewire', ...options() }).embeddingModel('u/m')
    const { embeddings } = await model.doEmbed({ values: ['1', '22'] })
    expect(embeddings).toEqual([
      [1, 1],
      [2, 22],
    ])
  })
})
