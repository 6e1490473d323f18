import Anthropic from '@anthropic-ai/sdk'
import { betaTool } from '@anthropic-ai/sdk/helpers/beta/json-schema'
import { jsonSchemaOutputFormat } from '@anthropic-ai/sdk/helpers/json-schema'
import { user } from './asks.js'

/** Anthropic's own client. */
export function program({ origin, apiKey }) {
  const { messages, models, beta } = new Anthropic({ baseURL: origin, apiKey, maxRetries: 0 })
  const bodyOf = ({ model, prompt }) => ({ model, messages: user(prompt), max_tokens: 512, temperature: 0 })
  const chat = async (ask) => textOf(await messages.create(bodyOf(ask)))
  const stream = async (ask) => {
    const texts = []
    const events = messages.stream(bodyOf(ask))
    for await (const { type, delta } of events) {
      if (type === 'content_block_delta' && delta.type === 'text_delta') texts.push(delta.text)
    }
    const whole = await events.finalText()
    return whole === texts.join('') ? texts : [...texts, `, and then: ${whole}`]
  }
  return {
    chat,
    stream,
    async tools({ name, description, parameters, ...ask }) {
      const tools = [{ name, description, input_schema: parameters }]
      const { content } = await messages.create({ ...bodyOf(ask), tools })
      const calls = content.filter(({ type }) => type === 'tool_use')
      return calls.map(({ name, input }) => ({ name, arguments: input }))
    },
    async loop({ name, description, parameters, result, ...ask }) {
      const tools = [betaTool({ name, description, inputSchema: parameters, run: () => result })]
      return textOf(await beta.messages.toolRunner({ ...bodyOf(ask), tools, max_iterations: 4 }))
    },
    async schema({ schema, ...ask }) {
      const output_config = { format: jsonSchemaOutputFormat(schema) }
      return (await messages.parse({ ...bodyOf(ask), output_config })).parsed_output
    },
    async count({ model, prompt }) {
      return (await messages.countTokens({ model, messages: user(prompt) })).input_tokens
    },
    async models() {
      const names = []
      for await (const { id } of models.list()) names.push(id)
      return names
    },
    error: chat,
    missing: chat,
    broken: stream,
    cannot: { embeddings: 'has no embeddings' },
    told: ({ status, type, message }) => ({ status, code: type, message }),
  }
}

const textOf = ({ content }) => content.map(({ text = '' }) => text).join('')
