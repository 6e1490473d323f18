import { calledIn, callsIn, functionOf, functionTool, jsonSchema, textsOf, user } from './asks.js'

/** OpenAI's own client from version 4 on. */
export const programOf = (OpenAI) => (options) => tasksOf(new OpenAI({ ...options, maxRetries: 0 }))

export function tasksOf(client) {
  const { completions } = client.chat
  const chat = async ({ model, prompt }) => {
    const { choices } = await completions.create({ model, messages: user(prompt), temperature: 0 })
    return choices[0].message.content
  }
  const stream = async ({ model, prompt }) =>
    await textsOf(await completions.create({ model, messages: user(prompt), temperature: 0, stream: true }))
  return {
    chat,
    stream,
    async tools({ model, prompt, ...tool }) {
      const body = { model, messages: user(prompt), tools: [functionTool(tool)], temperature: 0 }
      const { choices } = await completions.create(body)
      return callsIn(choices[0].message.tool_calls)
    },
    async functions({ model, prompt, ...described }) {
      const body = { model, messages: user(prompt), functions: [functionOf(described)], temperature: 0 }
      const { choices } = await completions.create(body)
      return calledIn(choices[0].message.function_call)
    },
    async schema({ model, prompt, ...schema }) {
      const body = { model, messages: user(prompt), response_format: jsonSchema(schema), temperature: 0 }
      // Version 4 has it under `beta`.
      const parsing = completions.parse ? completions : client.beta.chat.completions
      return (await parsing.parse(body)).choices[0].message.parsed
    },
    async embeddings({ model, input }) {
      return (await client.embeddings.create({ model, input })).data.map(({ embedding }) => embedding)
    },
    async models() {
      return (await client.models.list()).data.map(({ id }) => id)
    },
    error: chat,
    missing: chat,
    broken: stream,
    told: ({ status, code, message }) => ({ status, code, message }),
  }
}
