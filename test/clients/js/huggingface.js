import { InferenceClient } from '@huggingface/inference'
import { callsIn, functionTool, jsonSchema, textsOf, user } from './asks.js'

/** Hugging Face's client, with the gateway as its endpoint. */
export function program({ baseURL }) {
  const client = new InferenceClient('hf_any', { endpointUrl: baseURL, retry_on_error: false })
  const bodyOf = ({ model, prompt }, fields) => ({ model, messages: user(prompt), temperature: 0, ...fields })
  const messageOf = async (ask, fields) => (await client.chatCompletion(bodyOf(ask, fields))).choices[0].message
  const chat = async (ask) => (await messageOf(ask)).content
  const stream = async (ask) => await textsOf(client.chatCompletionStream(bodyOf(ask)))
  return {
    chat,
    stream,
    tools: async (ask) => callsIn((await messageOf(ask, { tools: [functionTool(ask)] })).tool_calls),
    schema: async (ask) => JSON.parse((await messageOf(ask, { response_format: jsonSchema(ask) })).content),
    error: chat,
    missing: chat,
    broken: stream,
    cannot: { embeddings: "asks for embeddings by Hugging Face's own API only" },
    told: ({ message, httpResponse }) => ({ message, status: httpResponse?.status, ...httpResponse?.body?.error }),
  }
}
