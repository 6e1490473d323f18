import type { Cell, Got } from '../cells.ts'
import type { Dialect, DialectAsk } from './dialect.ts'

/** What one answer amounts to, in the terms of its dialect. `model`: the name that was asked for. */
export function judgeInDialect(dialect: Dialect, ask: DialectAsk, got: Got, model: string): Cell {
  const fails = (why: string): Cell => ({ word: 'FAILS', why: `${ask.about}: ${why}`.replaceAll(model, '{model}') })
  const wrongHead = headersFault(dialect, ask, got)
  if (wrongHead) return fails(wrongHead)
  if (got.status === 200 && !ask.refusal) {
    const wrong = attempted(() => ask.check?.(got))
    return wrong === undefined ? { word: 'works' } : fails(wrong)
  }
  const wrongForm = attempted(() => dialect.errorFault(JSON.parse(got.text), got.status))
  if (wrongForm) return fails(`${got.status} ${wrongForm}: ${got.text.slice(0, 200)}`)
  const said = dialect.messageOf(JSON.parse(got.text))
  if (ask.refusal) {
    const { status, says } = ask.refusal
    return got.status === status && (says?.test(said) ?? true) ? { word: 'works' } : fails(`${got.status} ${said}`)
  }
  // Only what the gateway knows that the model can't is refused: all else is a failure.
  if (got.status === 400 && got.headers.get('x-samewire-reason') === 'unsupported_parameter') {
    return { word: 'refused', param: said.replaceAll(model, '{model}') }
  }
  if (got.status === 404) return { word: 'not served' }
  return fails(`${got.status} ${said}`)
}

function headersFault({ idHeaders }: Dialect, { type }: DialectAsk, { status, headers }: Got): string | undefined {
  const got = headers.get('content-type') ?? ''
  const wanted = status === 200 ? (type ?? 'application/json') : 'application/json'
  if (!got.startsWith(wanted)) return `content-type: ${got}`
  const absent = idHeaders.find((name) => !headers.has(name))
  return absent && `no ${absent}`
}

function attempted(action: () => string | undefined): string | undefined {
  try {
    return action()
  } catch (error) {
    return String(error)
  }
}
