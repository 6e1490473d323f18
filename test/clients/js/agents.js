import { Agent, OpenAIProvider, Runner, setTracingDisabled, tool } from '@openai/agents'
import OpenAI from 'openai'

/** OpenAI's Agents SDK over one of the two APIs that it speaks. */
const programOf =
  (useResponses) =>
  ({ baseURL, apiKey }) => {
    setTracingDisabled(true)
    const openAIClient = new OpenAI({ baseURL, apiKey, maxRetries: 0 })
    const runner = new Runner({ modelProvider: new OpenAIProvider({ openAIClient, useResponses }) })
    const agentOf = ({ model, ...more }) =>
      new Agent({ name: 'tester', model, modelSettings: { temperature: 0 }, ...more })
    const chat = async ({ model, prompt }) => (await runner.run(agentOf({ model }), prompt)).finalOutput
    const stream = async ({ model, prompt }) => {
      const texts = []
      const events = await runner.run(agentOf({ model }), prompt, { stream: true })
      for await (const { type, data } of events) {
        if (type !== 'raw_model_stream_event') continue
        if (data.type === 'output_text_delta') texts.push(data.delta)
        // Its own error says no more than that there was one.
        if (data.event?.type === 'response.failed') throw new Error(data.event.response.error.message)
      }
      await events.completed
      return texts
    }
    const loop = async ({ model, prompt, name, description, parameters, result }) => {
      const calls = []
      const called = (given) => {
        calls.push({ name, arguments: given })
        return result
      }
      const tools = [tool({ name, description, parameters, execute: called })]
      const { finalOutput } = await runner.run(agentOf({ model, tools }), prompt, { maxTurns: 4 })
      return { calls, finalOutput }
    }
    return {
      chat,
      stream,
      tools: async (ask) => (await loop({ ...ask, result: 'sunny' })).calls,
      loop: async (ask) => (await loop(ask)).finalOutput,
      async schema({ model, prompt, name, schema }) {
        const outputType = { type: 'json_schema', name, strict: true, schema }
        return (await runner.run(agentOf({ model, outputType }), prompt)).finalOutput
      },
      error: chat,
      missing: chat,
      broken: stream,
      cannot: { embeddings: 'has no embeddings', functions: 'has no functions' },
      told: ({ status, code, message }) => ({ status, code, message }),
    }
  }

export const responses = programOf(true)
export const chat = programOf(false)
