/** The least that a Worker can be that answers from the upstream: what workerd itself costs at its start. */
export default {
  fetch(request: Request, env: { UPSTREAM: string }): Promise<Response> {
    return fetch(env.UPSTREAM + new URL(request.url).pathname, request)
  },
}
