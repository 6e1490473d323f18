import { atHand } from '../../core/late.ts'
import type { AtOnce, Shareable, Sharing, Told } from '../../core/operation.ts'
import { edited, type RequestBody, withoutFields } from '../../wire/body.ts'
import type { FailureKind, GatewayError } from '../../wire/errors.ts'
import { isObject, type JsonObject, objectAt } from '../../wire/json.ts'
import { inputsOf } from './request.ts'

const input = new Set(['input'])

const someInputs: Sharing = {
  split(body, { inputs: most }) {
    if (most === undefined || !Array.isArray(body.outline.input) || body.outline.input.length <= most) return undefined
    const inputs = inputsOf(body.json) ?? []
    if (inputs.length <= most) return undefined
    const rest = withoutFields(body, input)
    return Array.from({ length: Math.ceil(inputs.length / most) }, (_, at) => {
      const own = inputs.slice(at * most, (at + 1) * most)
      return edited(rest, { set: new Map([['input', JSON.stringify(own)]]) })
    })
  },
  join(answers) {
    const data = answers.flatMap(({ data }) => (Array.isArray(data) ? data.filter(isObject) : []))
    const sum = (name: string) => answers.reduce((total, answer) => total + countAt(answer, name), 0)
    return {
      ...answers[0],
      data: data.map((item, index) => ({ ...item, index })),
      usage: { prompt_tokens: sum('prompt_tokens'), total_tokens: sum('total_tokens') },
    }
  },
  told,
}

/** Shares out the texts of a request; the vectors and the usage are those of all parts. */
export const sharingInputs: Shareable = {
  param: 'input',
  concerns: (asked) => (inputsOf(asked)?.length ?? 1) > 1,
  how: atHand(someInputs),
}

function countAt(answer: JsonObject, name: string): number {
  const count = objectAt(answer, 'usage')?.[name]
  return typeof count === 'number' ? count : 0
}

/**
 * How upstreams refuse too many inputs at once.
 *
 * After each row: who says so, and where it was found.
 */
// biome-ignore format: a table
const limits: readonly RegExp[] = [
  /maximum allowed batch size (\d+)/i, // TEI, SiliconFlow, Baseten: huggingface/text-embeddings-inference router, apecloud/ApeRAG#716
  /batch size is invalid, it should not be larger than (\d+)/i, // DashScope: langchain4j/langchain4j#1140, memodb-io/memobase#142
  /at most (\d+) requests can be in one batch/i, // Google, also behind OpenRouter: google-gemini/generative-ai-python samples
  /max number of inputs is (\d+)/i, // Azure: diemus/azure-openai-proxy#7
  /total number of texts must be at most (\d+)/i, // Cohere: elastic/elasticsearch x-pack/plugin/inference
  /array too long\. expected an array with maximum length (\d+)/i, // in OpenAI's words
]

/** How they refuse too many tokens in all inputs together. How many inputs that is depends on their lengths. */
// biome-ignore format: a table
const overall: readonly RegExp[] = [
  /max \d+ tokens per request/i, // OpenAI
  /max allowed tokens per submitted batch/i, // Voyage
  /too many (?:tokens|inputs) .{0,20}split into more batches/i, // Mistral
]

const refusals: ReadonlySet<FailureKind> = new Set(['bad_request', 'context_length', 'incapable', 'upstream'] as const)

function told({ kind, message }: GatewayError, body: RequestBody, { inputs: most }: AtOnce): Told | undefined {
  if (!refusals.has(kind)) return undefined
  const limit = limits.map((pattern) => Number(pattern.exec(message)?.[1])).find((named) => named >= 1)
  if (limit !== undefined) return { most: { inputs: limit }, lasts: true }
  if (!overall.some((pattern) => pattern.test(message))) return undefined
  const sent = Math.min(most ?? Number.POSITIVE_INFINITY, inputsOf(body.outline)?.length ?? 1)
  return sent > 1 ? { most: { inputs: Math.ceil(sent / 2) }, lasts: false } : undefined
}
