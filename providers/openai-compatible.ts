import { defineProvider } from '../src/core/provider.ts'
import { compatibleOperations, openaiOperations } from '../src/operations/index.ts'
import { continuedBy, continuesSetting } from './continuations.ts'
import { effortsOf } from './efforts.ts'
import { withRepeatPenalty } from './repetition.ts'
import { responsesBy, responsesSetting } from './responses.ts'

/** Any server with an OpenAI-compatible API at `baseURL`. */
export default defineProvider({
  type: 'openai-compatible',
  title: 'OpenAI-compatible server',
  keyless: true,
  settings: { continues: continuesSetting, responses: responsesSetting },
  operations: ({ options }) => ({
    ...compatibleOperations,
    ...(options.continues === 'llamacpp' && llamas),
    ...responsesBy(options.responses, 'translated'),
  }),
  routes: ({ baseURL }) => /^https:\/\/openrouter\.ai\//.test(baseURL),
  continues: ({ options }) => continuedBy(options.continues),
  efforts: ({ options }) => effortsOf(options.continues),
})

const llamas = {
  chat: withRepeatPenalty(openaiOperations.chat),
  completions: withRepeatPenalty(openaiOperations.completions),
}
