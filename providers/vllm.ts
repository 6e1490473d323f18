import { defineProvider } from '../src/core/provider.ts'
import { openaiOperations, openaiRoutes } from '../src/operations/index.ts'
import { continuedBy } from './continuations.ts'
import { counting } from './counting.ts'
import { effortsOf } from './efforts.ts'
import { lacking, openaiOnly } from './lacks.ts'
import { responsesBy, responsesSetting } from './responses.ts'

/**
 * It takes fields that it doesn't know. vLLM-Omni, a variant with the same API, does answer in audio, and makes images
 * and speech. https://docs.vllm.ai/en/stable/serving/online_serving.html
 */
export const vllmOperations = {
  ...openaiRoutes(
    'completions',
    'embeddings',
    'transcriptions',
    'translations',
    'rerank',
    'images',
    'speech',
    'realtime',
    'responses',
  ),
  inputTokens: counting('tokenizing'),
  chat: lacking(openaiOperations.chat, ...openaiOnly.filter((feature) => feature !== 'audio_output')),
}

/**
 * With gpt-oss it refuses others (vllm-project/vllm#49493), older versions know no namespaces (#42475), and newer ones call
 * what is in them by names that clients don't know (#46737).
 */
const taken = /^(function|web_search_preview.*|code_interpreter|container|mcp)$/

export default defineProvider({
  type: 'vllm',
  title: 'vLLM',
  baseURL: 'http://127.0.0.1:8000/v1',
  keyless: true,
  free: true,
  continues: () => continuedBy('vllm'),
  settings: { responses: responsesSetting },
  operations: ({ options }) => ({ ...vllmOperations, ...responsesBy(options.responses, 'native', { tools: taken }) }),
  efforts: effortsOf('vllm'),
})
