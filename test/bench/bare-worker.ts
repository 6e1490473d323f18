import { Hono } from 'hono'

/** W, the floor on Workers: one Hono route that calls `fetch` and passes the body on unchanged. */
const app = new Hono<{ Bindings: { UPSTREAM: string } }>()

app.post('*', async (context) => {
  const body = (await context.req.json()) as { model: string }
  body.model = 'bench'
  const response = await fetch(context.env.UPSTREAM + new URL(context.req.url).pathname, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  return new Response(response.body, response)
})

export default app
