import type { Runtime, serveBoth } from './both.ts'

type Served = ReturnType<typeof serveBoth>

export interface Asked {
  /** After the base URL's `/v1`, or with it. */
  readonly path: string
  readonly body: unknown
}

export interface Heard {
  readonly type: string | null
  /** What came before the upstream said anything. */
  readonly first: string
  /** All that came. */
  readonly text: string
}

/**
 * The reply to a client whose upstream says `answer` only when the client has got a sign of life. Without an answer it
 * breaks off.
 */
export async function afterSilence(
  { upstream, both }: Served,
  runtime: Runtime,
  asked: Asked,
  answer: string,
): Promise<Heard> {
  const { promise: heard, resolve } = Promise.withResolvers<void>()
  upstream.script(async (_request, response, socket) => {
    await heard
    if (answer === '') return socket.resetAndDestroy()
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(answer)
  })
  const response = await fetch(new URL(asked.path, both.addresses[runtime]), {
    method: 'POST',
    headers: { authorization: `Bearer ${both.key}`, 'content-type': 'application/json' },
    body: JSON.stringify(asked.body),
  })
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`)
  const decoder = new TextDecoder()
  let text = ''
  let first: string | undefined
  for await (const bytes of response.body ?? []) {
    text += decoder.decode(bytes, { stream: true })
    first ??= text
    resolve()
  }
  return { type: response.headers.get('content-type'), first: first ?? '', text }
}

/** A gateway that breaks a silence after a tenth of a second. */
export const quick = (url: string) => ({
  providers: { up: { type: 'openai-compatible', baseURL: url } },
  models: { m: { deployments: ['up/m'], retries: 0 } },
  keepAlive: 0.1,
})
