import { Ollama } from 'ollama'
import { functionTool, user } from './asks.js'

/** Ollama's own client. */
export function program({ origin }) {
  const client = new Ollama({ host: origin })
  const options = { temperature: 0 }
  const ask = async ({ model, prompt }, fields) =>
    await client.chat({ model, messages: user(prompt), options, ...fields })
  const chat = async (asked) => (await ask(asked)).message.content
  const stream = async (asked) => {
    const texts = []
    for await (const { message } of await ask(asked, { stream: true })) if (message.content) texts.push(message.content)
    return texts
  }
  return {
    chat,
    stream,
    async tools(asked) {
      const { message } = await ask(asked, { tools: [functionTool(asked)] })
      return message.tool_calls.map(({ function: { name, arguments: given } }) => ({ name, arguments: given }))
    },
    async loop({ result, ...asked }) {
      const tools = [functionTool(asked)]
      const { message } = await ask(asked, { tools })
      const results = message.tool_calls.map((call) => ({
        role: 'tool',
        tool_name: call.function.name,
        content: result,
      }))
      return (await ask(asked, { tools, messages: [...user(asked.prompt), message, ...results] })).message.content
    },
    async schema({ schema, ...asked }) {
      return JSON.parse((await ask(asked, { format: schema })).message.content)
    },
    async embeddings({ model, input }) {
      return (await client.embed({ model, input })).embeddings
    },
    async generate({ model, prompt }) {
      return (await client.generate({ model, prompt, options })).response
    },
    async models() {
      return (await client.list()).models.map(({ name }) => name.replace(':latest', ''))
    },
    async show({ model }) {
      return (await client.show({ model })).capabilities
    },
    error: chat,
    missing: chat,
    broken: stream,
    told: ({ status_code, message }) => ({ status: status_code, message }),
  }
}
