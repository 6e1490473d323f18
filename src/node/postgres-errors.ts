import { StoreError } from '../state/database.ts'

/** https://www.postgresql.org/docs/current/errcodes-appendix.html: what a later try may cure. */
const busyCodes: ReadonlySet<string> = new Set(['40001', '40P01', '53300', '55P03', '57P03'])
const known: Readonly<Record<string, string>> = {
  '25006': 'can only be read: name the server that can be written to',
  '28000': "doesn't let the gateway in: check the user of the URL",
  '28P01': "doesn't let the gateway in: check the password of the URL",
  '3D000': 'has no such database: make it first',
  '42501': "doesn't let the gateway make or change its tables: give its user the right to",
  '53100': 'could not write: the disk is full',
  '53300': 'has too many connections',
  '57P03': 'is starting or stopping',
}
/** Of the client, and of the network. */
const unreachable = /^E[A-Z]+$/

/** `server`: how to call it, without the password of its URL. */
export function postgresError(error: unknown, server: string): StoreError {
  if (error instanceof StoreError) return error
  const said = error instanceof Error ? error.message : String(error)
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const options = { busy: busyCodes.has(code), cause: error }
  const reason = known[code]
  if (reason) return new StoreError(`${server} ${reason}`, options)
  if (code === '' || unreachable.test(code)) return new StoreError(`${server} can't be reached: ${said}`, options)
  return new StoreError(`${server}: ${said}`, options)
}
