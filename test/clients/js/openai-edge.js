import { Configuration, OpenAIApi } from 'openai-edge'
import { callsIn, chunksOf, functionTool, jsonSchema, textsOf, user } from './asks.js'

/** A client of 2023 on `fetch`: it returns the bare `Response`. */
export function program({ baseURL, apiKey }) {
  const client = new OpenAIApi(new Configuration({ basePath: baseURL, apiKey }))
  const create = async ({ model, prompt }, fields = {}) =>
    await checked(await client.createChatCompletion({ model, messages: user(prompt), temperature: 0, ...fields }))
  const messageOf = async (ask, fields) => (await (await create(ask, fields)).json()).choices[0].message
  const chat = async (ask) => (await messageOf(ask)).content
  const stream = async (ask) => await textsOf(chunksOf((await create(ask, { stream: true })).body))
  return {
    chat,
    stream,
    tools: async (ask) => callsIn((await messageOf(ask, { tools: [functionTool(ask)] })).tool_calls),
    schema: async (ask) => JSON.parse((await messageOf(ask, { response_format: jsonSchema(ask) })).content),
    async embeddings({ model, input }) {
      const response = await checked(await client.createEmbedding({ model, input }))
      return (await response.json()).data.map(({ embedding }) => embedding)
    },
    error: chat,
    missing: chat,
    broken: stream,
    told: ({ status, code, message }) => ({ status, code, message }),
  }
}

async function checked(response) {
  if (response.ok) return response
  throw Object.assign(new Error(), (await response.json()).error, { status: response.status })
}
