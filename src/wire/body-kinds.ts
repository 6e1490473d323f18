import type { RequestBody } from './body.ts'
import type { FormBody } from './form-body.ts'
import type { SocketRequest } from './socket-request.ts'

// By what they say themselves: their classes are loaded by the first request of their kind.

/** `T`: what the rest of a large one comes as. */
export function isFormBody<T>(body: RequestBody): body is FormBody<T> {
  return body.kind === 'form'
}

export function isSocketRequest(body: RequestBody): body is SocketRequest {
  return body.kind === 'socket'
}
