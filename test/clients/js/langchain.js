import { ContextOverflowError } from '@langchain/core/errors'
import { ChatOpenAI, OpenAIEmbeddings } from '@langchain/openai'
import { functionTool } from './asks.js'

/** LangChain JS. */
export function program({ baseURL, apiKey }) {
  const shared = { apiKey, configuration: { baseURL }, maxRetries: 0 }
  const modelOf = (model) => new ChatOpenAI({ model, temperature: 0, ...shared })
  const chat = async ({ model, prompt }) => (await modelOf(model).invoke(prompt)).content
  const stream = async ({ model, prompt }) => {
    const texts = []
    for await (const { content } of await modelOf(model).stream(prompt)) if (content) texts.push(content)
    return texts
  }
  return {
    chat,
    stream,
    async tools({ model, prompt, ...tool }) {
      const { tool_calls } = await modelOf(model)
        .bindTools([functionTool(tool)])
        .invoke(prompt)
      return tool_calls.map(({ name, args }) => ({ name, arguments: args }))
    },
    async schema({ model, prompt, name, schema }) {
      const structured = modelOf(model).withStructuredOutput(schema, { name, method: 'jsonSchema', strict: true })
      return await structured.invoke(prompt)
    },
    async embeddings({ model, input }) {
      return await new OpenAIEmbeddings({ model, ...shared }).embedDocuments(input)
    },
    error: chat,
    missing: chat,
    broken: stream,
    told,
  }
}

/** A prompt that is too long gets a class of its own, with OpenAI's error inside. */
function told(error) {
  const { status, code, message } = ContextOverflowError.isInstance(error) ? error.cause : error
  return { status, code, message }
}
