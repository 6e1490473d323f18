import { isObject } from '../wire/json.ts'
import { baseURLOf, keyNote, nobody } from './address.ts'
import { Failure, type Given, type Surroundings } from './command.ts'

/** Milliseconds. The gateway waits less for the lists of its providers. */
const patience = 10_000

/** Asks the running gateway and resolves with the JSON that it answers. Rejects with a `Failure`. */
export async function askGateway(
  path: string,
  { values }: Given,
  { env }: Surroundings,
  body?: Uint8Array<ArrayBuffer>,
): Promise<unknown> {
  const baseURL = baseURLOf(values.url, env)
  const key = values.key ?? (env.SAMEWIRE_KEY || undefined)
  const signal = AbortSignal.timeout(patience)
  const headers = { 'content-type': 'application/json', ...(key && { authorization: `Bearer ${key}` }) }
  try {
    const response = await fetch(`${baseURL}${path}`, { headers, signal, ...(body && { method: 'POST', body }) })
    const answer: unknown = await response.json().catch((error: unknown) => {
      if (signal.aborted) throw error
    })
    if (response.ok && isObject(answer)) return answer
    throw new Failure(refusalOf(response.status, answer, baseURL))
  } catch (error) {
    if (error instanceof Failure) throw error
    throw new Failure(signal.aborted ? `${baseURL} did not answer in time.` : nobody(baseURL))
  }
}

function refusalOf(status: number, answer: unknown, baseURL: string): string {
  const error = isObject(answer) && isObject(answer.error) ? answer.error.message : undefined
  if (typeof error !== 'string') return `What answers at ${baseURL} is no gateway: it says ${status}.`
  return status === 401 ? `${error} ${keyNote}` : error
}
