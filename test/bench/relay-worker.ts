/** A minimal Worker that answers from the upstream, to measure the start-up cost of workerd itself. */
export default {
  fetch(request: Request, env: { UPSTREAM: string }): Promise<Response> {
    return fetch(env.UPSTREAM + new URL(request.url).pathname, request)
  },
}
