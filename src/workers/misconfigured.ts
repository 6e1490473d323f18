import { ConfigError } from '../config/problems.ts'

/** The answer of a Worker that can't be built, whose log says why. */
export function misconfigured(error: unknown): Response {
  console.error(error instanceof ConfigError ? error.message : error)
  const message = 'The gateway is misconfigured; its log says where.'
  return Response.json(
    { error: { message, type: 'server_error', param: null, code: 'misconfigured' } },
    { status: 500 },
  )
}
