import { ChatAnthropic } from '@langchain/anthropic'
import { ContextOverflowError } from '@langchain/core/errors'
import { HumanMessage, ToolMessage } from '@langchain/core/messages'
import { ChatOllama, OllamaEmbeddings } from '@langchain/ollama'
import { ChatOpenAI, OpenAIEmbeddings } from '@langchain/openai'
import { functionTool } from './asks.js'

/** LangChain JS with its models for OpenAI. */
export function openai({ baseURL, apiKey }) {
  const shared = { apiKey, configuration: { baseURL }, maxRetries: 0 }
  return programOf({
    modelOf: (model) => new ChatOpenAI({ model, temperature: 0, ...shared }),
    embedderOf: (model) => new OpenAIEmbeddings({ model, ...shared }),
    structured: { method: 'jsonSchema', strict: true },
  })
}

/** For Anthropic; structured answers are calls of a tool. */
export const anthropic = ({ origin, apiKey }) =>
  programOf({
    modelOf: (model) => new ChatAnthropic({ model, temperature: 0, apiKey, anthropicApiUrl: origin, maxRetries: 0 }),
  })

/** And for Ollama. */
export const ollama = ({ origin }) =>
  programOf({
    modelOf: (model) => new ChatOllama({ model, temperature: 0, baseUrl: origin, maxRetries: 0 }),
    embedderOf: (model) => new OllamaEmbeddings({ model, baseUrl: origin, maxRetries: 0 }),
    structured: { method: 'jsonSchema' },
  })

function programOf({ modelOf, embedderOf, structured }) {
  const chat = async ({ model, prompt }) => (await modelOf(model).invoke(prompt)).content
  const stream = async ({ model, prompt }) => {
    const texts = []
    for await (const { text } of await modelOf(model).stream(prompt)) if (text) texts.push(text)
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
    async loop({ model, prompt, result, ...tool }) {
      const bound = modelOf(model).bindTools([functionTool(tool)])
      const asked = [new HumanMessage(prompt)]
      const answer = await bound.invoke(asked)
      const results = answer.tool_calls.map(
        ({ id, name }) => new ToolMessage({ content: result, tool_call_id: id, name }),
      )
      return (await bound.invoke([...asked, answer, ...results])).text
    },
    async schema({ model, prompt, name, schema }) {
      return await modelOf(model)
        .withStructuredOutput(schema, { name, ...structured })
        .invoke(prompt)
    },
    ...(embedderOf && {
      embeddings: async ({ model, input }) => await embedderOf(model).embedDocuments(input),
    }),
    error: chat,
    missing: chat,
    broken: stream,
    told,
  }
}

/** A prompt that is too long gets a class of its own, with the API's error inside. */
function told(error) {
  const { status, status_code, code, type, message } = ContextOverflowError.isInstance(error) ? error.cause : error
  return { status: status ?? status_code, code: code ?? type, message }
}
