import type { Both, Runtime } from './both.ts'
import type { FakeUpstream } from './upstream.ts'

/** A line of a stream, or a whole answer. */
export interface Line {
  readonly [key: string]: unknown
  readonly message?: { readonly content: string; readonly thinking?: string; readonly tool_calls?: readonly unknown[] }
  readonly response?: string
  readonly thinking?: string
  readonly done?: boolean
}

export interface OllamaReply {
  readonly status: number
  readonly type: string | null
  readonly headers: Headers
  readonly text: string
}

/** Where a program finds the gateway by `OLLAMA_HOST`. */
export const hostOf = (both: Both, runtime: Runtime) => both.addresses[runtime].replace(/\/v1$/, '')

/** Asks as a program written for Ollama does. */
export async function askOllama(
  both: Both,
  runtime: Runtime,
  path: string,
  body?: unknown,
  init: RequestInit = {},
): Promise<OllamaReply> {
  const response = await fetch(hostOf(both, runtime) + path, {
    method: body === undefined ? 'GET' : 'POST',
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    ...init,
    headers: { authorization: `Bearer ${both.key}`, ...(init.headers as Record<string, string>) },
  })
  const { status, headers } = response
  return { status, headers, type: headers.get('content-type'), text: await response.text() }
}

/** The lines of a stream, each of which must end. */
export function linesOf(text: string): Line[] {
  if (text !== '' && !text.endsWith('\n')) throw new Error(`the last line has no end: ${text}`)
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line)
}

/** What the lines of a stream amount to: the last one, with the texts and the calls of all. */
export function joinedLines(lines: readonly Line[]): Line {
  const join = (pick: (line: Line) => string | undefined) => lines.map((line) => pick(line) ?? '').join('')
  const last = lines.at(-1) ?? {}
  const thinking = join(({ message, thinking }) => message?.thinking ?? thinking)
  const logprobs = lines.flatMap((line) => (line.logprobs as unknown[] | undefined) ?? [])
  const tokens = logprobs.length > 0 && { logprobs }
  if (last.message === undefined) {
    return { ...last, response: join(({ response }) => response), ...(thinking && { thinking }), ...tokens }
  }
  const calls = lines.flatMap(({ message }) => message?.tool_calls ?? [])
  const content = join(({ message }) => message?.content)
  const message = {
    ...last.message,
    content,
    ...(thinking && { thinking }),
    ...(calls.length > 0 && { tool_calls: calls }),
  }
  return { ...last, message, ...tokens }
}

/** The last request that an upstream has seen. */
export function lastSeen(upstream: FakeUpstream): { readonly path: string; readonly body: Record<string, unknown> } {
  const { path = '', body = '{}' } = upstream.seen.at(-1) ?? {}
  return { path, body: JSON.parse(body) as Record<string, unknown> }
}
