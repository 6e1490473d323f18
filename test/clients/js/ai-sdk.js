import { createAnthropic } from '@ai-sdk/anthropic'
import { createGoogle } from '@ai-sdk/google'
import { createOpenAI } from '@ai-sdk/openai'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import {
  APICallError,
  embedMany,
  generateObject,
  generateText,
  isStepCount,
  jsonSchema,
  Output,
  RetryError,
  streamText,
  tool,
} from 'ai'
import { createOllama } from 'ollama-ai-provider-v2'

/** Vercel's AI SDK with the provider for compatible servers. */
export const compatible = (options) => {
  const provider = createOpenAICompatible({ name: 'samewire', supportsStructuredOutputs: true, ...options })
  return programOf(
    (model) => provider(model),
    (model) => provider.textEmbeddingModel?.(model) ?? provider.embeddingModel(model),
  )
}

/** And with the one for OpenAI, which is stricter. */
export const openai = (options) => {
  const provider = createOpenAI(options)
  return programOf(
    (model) => provider.chat(model),
    (model) => provider.textEmbeddingModel?.(model) ?? provider.embeddingModel(model),
  )
}

/** The same as it is used without a word about the API: responses. */
export const responses = (options) => {
  const provider = createOpenAI(options)
  return {
    ...programOf((model) => provider(model)),
    async schema({ model, prompt, schema }) {
      return (await generateObject({ model: provider(model), prompt, schema: jsonSchema(schema), ...given })).object
    },
    cannot: { embeddings: 'is the same client as above' },
  }
}

/** With the one for Anthropic. */
export const anthropic = ({ origin, apiKey }) => programOf(createAnthropic({ baseURL: `${origin}/v1`, apiKey }))

/** With the one for Gemini. */
export const google = ({ origin, apiKey }) => {
  const provider = createGoogle({ baseURL: `${origin}/v1beta`, apiKey })
  return programOf(provider, (model) => provider.embeddingModel(model))
}

/** And with one for Ollama's own API. */
export const ollama = ({ origin }) => {
  const provider = createOllama({ baseURL: `${origin}/api` })
  return {
    ...programOf(provider, (model) => provider.embeddingModel(model)),
    cannot: { broken: 'passes over an error in a stream' },
  }
}

const given = { temperature: 0, maxRetries: 0 }

function programOf(chatModel, embeddingModel) {
  const chat = async ({ model, prompt }) => (await generateText({ model: chatModel(model), prompt, ...given })).text
  const stream = async ({ model, prompt }) => {
    const texts = []
    const parts = streamText({ model: chatModel(model), prompt, ...given, onError() {} }).fullStream
    for await (const part of parts) {
      if (part.type === 'error') throw part.error
      if (part.type === 'text-delta') texts.push(part.text)
    }
    return texts
  }
  return {
    chat,
    stream,
    async tools({ model, prompt, name, description, parameters }) {
      const tools = { [name]: tool({ description, inputSchema: jsonSchema(parameters) }) }
      const { toolCalls } = await generateText({ model: chatModel(model), prompt, tools, ...given })
      return toolCalls.map(({ toolName, input }) => ({ name: toolName, arguments: input }))
    },
    async loop({ model, prompt, name, description, parameters, result }) {
      const tools = { [name]: tool({ description, inputSchema: jsonSchema(parameters), execute: () => result }) }
      const stopWhen = isStepCount(4)
      return (await generateText({ model: chatModel(model), prompt, tools, stopWhen, ...given })).text
    },
    async turns({ model, prompt, next }) {
      // It takes responses for stored unless they are not to be.
      const asked = { model: chatModel(model), ...given, providerOptions: { openai: { store: false } } }
      const said = [{ role: 'user', content: prompt }]
      const first = await generateText({ ...asked, messages: said })
      const messages = [...said, ...first.response.messages, { role: 'user', content: next }]
      return [first.text, (await generateText({ ...asked, messages })).text]
    },
    async schema({ model, prompt, schema }) {
      const output = Output.object({ schema: jsonSchema(schema) })
      return (await generateText({ model: chatModel(model), prompt, output, ...given })).output
    },
    ...(embeddingModel && {
      async embeddings({ model, input }) {
        return (await embedMany({ model: embeddingModel(model), values: input, maxRetries: 0 })).embeddings
      },
    }),
    error: chat,
    missing: chat,
    broken: stream,
    told,
  }
}

function told(error) {
  const cause = RetryError.isInstance(error) ? error.lastError : error
  if (!APICallError.isInstance(cause)) return cause?.error ?? {}
  const { error: body = {} } = JSON.parse(cause.responseBody ?? '{}')
  // Ollama's error is no more than a message, which its provider passes over.
  const message = typeof body === 'string' ? body : cause.message
  const code = [body.code, body.status, body.type].find((word) => typeof word === 'string')
  return { status: cause.statusCode, code, message }
}
