import { framesOf } from '../contract/read.ts'
import type { Ask, Cell, Got, Refusal } from './cells.ts'
import type { Check, Specification } from './specification.ts'

interface WireError {
  readonly message?: unknown
  readonly param?: string | null
  readonly code?: string | null
}

/** How a route's answers are checked; without a specification only their meaning is. */
export interface Route {
  readonly method: 'get' | 'post'
  readonly path: string
}

/** What one answer amounts to. */
export function judge({ check, refusal, about, path }: Ask, got: Got, route: Route, spec?: Specification): Cell {
  const fails = (why: string): Cell => ({ word: 'FAILS', why: `${about}: ${why}` })
  const wrongHead = headersFault(got)
  if (wrongHead) return fails(wrongHead)
  if (got.status === 200 && !refusal) {
    const format = spec?.answer(route.method, path ?? route.path, got.streamed) ?? (() => undefined)
    const wrong = attempted(() => bodyFault(got, format))
    const worse = attempted(
      () => (wrong ? bodyFault(got, (body) => format(withNulls(body))) : undefined) ?? check?.(got),
    )
    if (worse !== undefined) return fails(worse)
    return wrong === undefined ? { word: 'works' } : { word: 'works', bare: true }
  }
  const error = attempted(() => (JSON.parse(got.text) as { error: WireError }).error)
  if (typeof error === 'string') return fails(`${got.status}, and no envelope: ${got.text.slice(0, 200)}`)
  const wrong = spec?.error(JSON.parse(got.text))
  if (wrong) return fails(`the error: ${wrong}`)
  if (refusal) {
    return fits(refusal, got, error) ? { word: 'works' } : fails(`${got.status} ${JSON.stringify(error)}`)
  }
  if (got.status === 400 && typeof error.param === 'string') return { word: 'refused', param: error.param }
  if (got.status === 404) return { word: 'not served' }
  return fails(`${got.status} ${JSON.stringify(error)}`)
}

function headersFault({ status, headers, streamed }: Got): string | undefined {
  const type = headers.get('content-type') ?? ''
  const wanted = streamed && status === 200 ? 'text/event-stream; charset=utf-8' : 'application/json'
  if (!type.startsWith(wanted)) return `content-type: ${type}`
  return headers.has('x-request-id') ? undefined : 'no x-request-id'
}

function bodyFault({ text, streamed }: Got, format: Check): string | undefined {
  if (!streamed) return format(JSON.parse(text))
  const frames = framesOf(text)
  if (frames.at(-1) !== '[DONE]') return 'the stream does not end with [DONE]'
  const chunks = frames.slice(0, -1).map((frame) => JSON.parse(frame) as unknown)
  return chunks.map((chunk) => format(chunk)).find((wrong) => wrong !== undefined)
}

/** An answer with the keys that OpenAI always sends, null as a rule: nothing is added to what a server says soundly. */
function withNulls(body: unknown): unknown {
  const { choices = [] } = body as { choices?: readonly Choice[] }
  const completed = choices.map(({ message, logprobs, ...choice }) => ({
    ...choice,
    logprobs: logprobs ? { refusal: null, ...logprobs } : null,
    ...(message && { message: { refusal: null, ...message } }),
  }))
  return { ...(body as object), choices: completed }
}

interface Choice {
  readonly message?: object
  readonly logprobs?: object | null
}

function fits({ status, code, param }: Refusal, got: Got, error: WireError): boolean {
  const named = code === undefined || error.code === code
  return got.status === status && named && (param === undefined || error.param === param)
}

function attempted<T>(action: () => T): T | string {
  try {
    return action()
  } catch (error) {
    return String(error)
  }
}
