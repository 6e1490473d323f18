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
export function judge(ask: Ask, got: Got, route: Route, spec?: Specification): Cell {
  const { check, refusal, about, path } = ask
  const fails = (why: string): Cell => ({ word: 'FAILS', why: `${about}: ${why}` })
  const wrongHead = headersFault(ask, got)
  if (wrongHead) return fails(wrongHead)
  if (got.status === 200 && !refusal) {
    const format = spec?.answer(route.method, path ?? route.path, got.streamed) ?? (() => undefined)
    const wrong = attempted(() => bodyFault(ask, got, format))
    const worse = attempted(
      () => (wrong ? bodyFault(ask, got, (body) => format(withNulls(body))) : undefined) ?? check?.(got),
    )
    if (worse !== undefined) return fails(worse)
    return wrong === undefined ? { word: 'works' } : { word: 'works', bare: true }
  }
  return judgeError(ask, got, spec)
}

function judgeError({ refusal, about }: Ask, got: Got, spec?: Specification): Cell {
  const fails = (why: string): Cell => ({ word: 'FAILS', why: `${about}: ${why}` })
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

const events = 'text/event-stream; charset=utf-8'

function headersFault({ type, body }: Ask, { status, headers }: Got): string | undefined {
  const got = headers.get('content-type') ?? ''
  const isStream = typeof body === 'object' && body.stream === true
  const wanted = status === 200 ? (type ?? (isStream ? events : 'application/json')) : 'application/json'
  if (!got.startsWith(wanted)) return `content-type: ${got}`
  return headers.has('x-request-id') ? undefined : 'no x-request-id'
}

function bodyFault({ type, done }: Ask, { text, streamed }: Got, format: Check): string | undefined {
  if (streamed) return framesFault(text, format, type === undefined ? 'bare' : done)
  return type === undefined ? format(JSON.parse(text)) : undefined
}

/** `bare` streams have no lines but data, and end with `[DONE]`; those of events with a name may, or must. */
function framesFault(text: string, format: Check, done: 'bare' | Ask['done']): string | undefined {
  if (!text.endsWith('\n\n')) return 'the stream does not end with a blank line'
  const frames = text.slice(0, -2).split('\n\n')
  if (done && frames.at(-1) === 'data: [DONE]') frames.pop()
  else if (done && done !== 'may') return 'the stream does not end with [DONE]'
  const form = done === 'bare' ? /^data: (.*)$/s : /^event: \S+\ndata: (.*)$/s
  const data = frames.map((frame) => form.exec(frame)?.[1])
  if (data.includes(undefined)) return `not a frame: ${frames[data.indexOf(undefined)]}`
  return data.map((json = '') => format(JSON.parse(json))).find((wrong) => wrong !== undefined)
}

/** An answer with the keys that OpenAI always sends, null as a rule: nothing is added to what a server says soundly. */
function withNulls(body: unknown): unknown {
  const { choices } = body as { choices?: readonly Choice[] }
  if (!choices) return body
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
