import { createRequire } from 'node:module'
import OpenAI from 'openai'
import { z } from 'zod/v3'
import { user } from './asks.js'
import { tasksOf } from './openai.js'

// Its module for `import` needs a bundler.
const { default: Instructor } = createRequire(import.meta.url)('@instructor-ai/instructor')
const answer = z.object({ ok: z.boolean(), color: z.enum(['red', 'green']) })

/** instructor: OpenAI's client behind a proxy, with answers that are checked against a schema. */
export function program(options) {
  const client = new OpenAI({ ...options, maxRetries: 0 })
  // Its usual mode: the answer is the arguments of a call that it forces.
  const { chat } = Instructor({ client, mode: 'TOOLS' })
  return {
    ...tasksOf({ chat, embeddings: client.embeddings, models: client.models }),
    async schema({ model, prompt, name }) {
      const response_model = { schema: answer, name }
      const body = { model, temperature: 0, messages: user(prompt), response_model, max_retries: 0 }
      const { _meta, ...fields } = await chat.completions.create(body)
      return fields
    },
  }
}
