import { Configuration, OpenAIApi } from 'openai3'
import { calledIn, callsIn, chunksOf, functionOf, functionTool, jsonSchema, textsOf, user } from './asks.js'

/** OpenAI's client of 2023, on axios: it leaves streams and JSON to its callers. */
export function program({ baseURL, apiKey }) {
  const client = new OpenAIApi(new Configuration({ basePath: baseURL, apiKey }))
  const create = async ({ model, prompt }, fields = {}, options = {}) =>
    (await client.createChatCompletion({ model, messages: user(prompt), temperature: 0, ...fields }, options)).data
  const messageOf = async (ask, fields) => (await create(ask, fields)).choices[0].message
  const chat = async (ask) => (await messageOf(ask)).content
  const stream = async (ask) => await textsOf(chunksOf(await create(ask, { stream: true }, { responseType: 'stream' })))
  return {
    chat,
    stream,
    tools: async (ask) => callsIn((await messageOf(ask, { tools: [functionTool(ask)] })).tool_calls),
    functions: async (ask) => calledIn((await messageOf(ask, { functions: [functionOf(ask)] })).function_call),
    schema: async (ask) => JSON.parse((await messageOf(ask, { response_format: jsonSchema(ask) })).content),
    async embeddings({ model, input }) {
      return (await client.createEmbedding({ model, input })).data.data.map(({ embedding }) => embedding)
    },
    error: chat,
    missing: chat,
    broken: stream,
    told: ({ response, code }) => ({ status: response?.status, code, ...response?.data.error }),
  }
}
