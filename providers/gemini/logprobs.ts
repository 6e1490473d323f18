import { isObject, type JsonObject, objectAt } from '../../src/wire/json.ts'

const encoder = new TextEncoder()

/** OpenAI's log probabilities for Gemini's. https://ai.google.dev/api/generate-content#LogprobsResult */
export function logprobsOf(candidate: JsonObject): JsonObject | null {
  const told = objectAt(candidate, 'logprobsResult')
  const chosen = Array.isArray(told?.chosenCandidates) ? told.chosenCandidates : []
  if (chosen.length === 0) return null
  const top = Array.isArray(told?.topCandidates) ? told.topCandidates : []
  const content = chosen.map((one: unknown, at) => {
    const others = isObject(top[at]) ? top[at].candidates : undefined
    return { ...tokenOf(one), top_logprobs: Array.isArray(others) ? others.map(tokenOf) : [] }
  })
  return { content, refusal: null }
}

function tokenOf(candidate: unknown): JsonObject {
  const { token, logProbability = 0 } = isObject(candidate) ? candidate : {}
  const text = typeof token === 'string' ? token : ''
  return { token: text, logprob: logProbability, bytes: [...encoder.encode(text)] }
}
