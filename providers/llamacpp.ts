import { defineProvider } from '../src/core/provider.ts'
import { openaiOperations, openaiRoutes } from '../src/operations/index.ts'
import { repaired } from '../src/operations/repair/repaired.ts'
import { edited, type RequestBody } from '../src/wire/body.ts'
import { objectAt, stringAt } from '../src/wire/json.ts'
import { continuedBy } from './continuations.ts'
import { counting } from './counting.ts'
import { effortsOf } from './efforts.ts'
import { lacking, openaiOnly } from './lacks.ts'
import { withRepeatPenalty } from './repetition.ts'
import { responsesBy, responsesSetting } from './responses.ts'

/**
 * A choice of one tool is ignored with a warning in the server's own log (ggml-org/llama.cpp#26535), so it is rephrased.
 * The legacy route refuses more than one choice.
 */
export const llamacppOperations = {
  // https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md
  ...openaiRoutes('embeddings', 'transcriptions', 'rerank'),
  inputTokens: counting('chat', 'template'),
  chat: withRepeatPenalty({
    ...lacking(openaiOperations.chat, ...openaiOnly, 'tool_named', 'tools_allowed'),
    rephrase: onlyNamedTool,
  }),
  // A stream for several prompts starts with `data: null` and consists of chat chunks.
  completions: withRepeatPenalty(repaired(lacking(openaiOperations.completions, 'n'))),
}

/** A request that must call one tool is one that must call any, and has only that one. */
function onlyNamedTool(body: RequestBody): RequestBody {
  const name = stringAt(objectAt(body.outline.tool_choice, 'function'), 'name')
  if (name === undefined || !Array.isArray(body.outline.tools)) return body
  const tools = (body.json.tools as readonly unknown[]).filter(
    (tool) => stringAt(objectAt(tool, 'function'), 'name') === name,
  )
  if (tools.length === 0) return body
  return edited(body, {
    set: new Map([
      ['tools', JSON.stringify(tools)],
      ['tool_choice', '"required"'],
    ]),
  })
}

/** llama.cpp's `llama-server`. */
export default defineProvider({
  type: 'llamacpp',
  title: 'llama.cpp',
  baseURL: 'http://127.0.0.1:8080/v1',
  keyless: true,
  free: true,
  // With one model loaded the server accepts any name, so only its list says which model it has.
  answersAnyName: true,
  continues: () => continuedBy('llamacpp'),
  efforts: effortsOf('llamacpp'),
  settings: { responses: responsesSetting },
  operations: ({ options }) => ({ ...llamacppOperations, ...responsesBy(options.responses, 'translated') }),
  errors: [
    { status: 400, match: /model name is missing/i, kind: 'not_found' },
    { status: 503, match: /loading model/i, kind: 'loading' },
    { status: 500, match: /image input is not supported/i, kind: 'incapable', lacks: 'vision' },
    { status: 500, match: /audio input is not supported/i, kind: 'incapable' },
    // Embeddings and ranking need a server that was started for them.
    { status: 501, match: /does not support reranking/i, kind: 'incapable', param: 'model' },
  ],
})
