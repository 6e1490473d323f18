import { OpenAI, OpenAIEmbedding } from '@llamaindex/openai'
import { jsonSchema, user } from './asks.js'

/** LlamaIndex TS, the last release. */
export function program({ baseURL, apiKey }) {
  const shared = { apiKey, baseURL, maxRetries: 0 }
  const ask = async ({ model, prompt }, { fields = {}, ...more } = {}) =>
    await new OpenAI({ model, temperature: 0, additionalChatOptions: fields, ...shared }).chat({
      messages: user(prompt),
      ...more,
    })
  const chat = async (asked) => (await ask(asked)).message.content
  const stream = async (asked) => {
    const texts = []
    for await (const { delta } of await ask(asked, { stream: true })) if (delta) texts.push(delta)
    return texts
  }
  return {
    chat,
    stream,
    async tools({ name, description, parameters, ...asked }) {
      const { message } = await ask(asked, { tools: [{ metadata: { name, description, parameters } }] })
      return message.options.toolCall.map((call) => ({
        name: call.name,
        arguments: typeof call.input === 'string' ? JSON.parse(call.input) : call.input,
      }))
    },
    async schema(asked) {
      const { message } = await ask(asked, { fields: { response_format: jsonSchema(asked) } })
      return JSON.parse(message.content)
    },
    async embeddings({ model, input }) {
      return await new OpenAIEmbedding({ model, ...shared }).getTextEmbeddings(input)
    },
    error: chat,
    missing: chat,
    broken: stream,
    told: ({ status, code, message }) => ({ status, code, message }),
  }
}
