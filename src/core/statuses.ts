import type { FailureKind } from '../wire/errors.ts'

/** What a failure is by its status alone. */
export function kindOfStatus(status: number): FailureKind {
  if (status === 401 || status === 403 || status === 407) return 'auth'
  if (status === 402) return 'quota'
  if (status === 404 || status === 405) return 'wrong_endpoint'
  if (status === 410) return 'retired'
  if (status === 408) return 'timeout'
  if (status === 413) return 'context_length'
  // TGI: the generation failed, not the request. A conflict and what comes too early may pass.
  if (status === 409 || status === 424 || status === 425) return 'upstream'
  if (status === 429) return 'rate_limit'
  // Groq: its flexible tier is full.
  if (status === 498 || status === 503 || status === 529) return 'overloaded'
  if (status === 508) return 'loop'
  if (status >= 500) return 'upstream'
  return status >= 400 ? 'bad_request' : 'protocol'
}

/** The statuses that words for a kind of error stand for, where an error inside a success names none. */
export const statusOfType: Readonly<Record<string, number>> = {
  // TGI
  validation: 422,
  generation: 424,
  incomplete_generation: 500,
  healthcheck: 503,
  // OpenAI, Anthropic, vLLM
  invalid_request_error: 400,
  BadRequestError: 400,
  NotFoundError: 404,
  not_found_error: 404,
  authentication_error: 401,
  permission_error: 403,
  api_error: 500,
  server_error: 500,
  // Google
  INVALID_ARGUMENT: 400,
  NOT_FOUND: 404,
  PERMISSION_DENIED: 403,
  UNAUTHENTICATED: 401,
  RESOURCE_EXHAUSTED: 429,
  UNAVAILABLE: 503,
}
