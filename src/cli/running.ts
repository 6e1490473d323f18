import { isObject } from '../wire/json.ts'
import { adminKeyNote, baseURLOf, keyNote, nobody } from './address.ts'
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
  const key = values.key ?? (env.SAMEWIRE_KEY || undefined)
  const answer = await ask({ baseURL: baseURLOf(values.url, env), path, key, keyNote, ...(body && { body }) })
  return await jsonOf(answer)
}

export interface AdminQuestion {
  /** Without `/v1`. */
  readonly path: string
  /** Default GET. */
  readonly method?: string
  readonly body?: object
  /** Default JSON. */
  readonly accept?: string
}

/** Asks the running gateway what only its operator may. Resolves with its answer; rejects with a `Failure`. */
export async function askAsOperator(
  question: AdminQuestion,
  { values }: Given,
  { env }: Surroundings,
): Promise<Response> {
  const { body, ...rest } = question
  const key = values.key ?? (env.SAMEWIRE_ADMIN_KEY || undefined)
  const bytes = body && new TextEncoder().encode(JSON.stringify(body))
  const asked = { baseURL: baseURLOf(values.url, env), key, keyNote: adminKeyNote, ...rest }
  return (await ask({ ...asked, ...(bytes && { body: bytes }) })).response
}

interface Question extends Omit<AdminQuestion, 'body'> {
  readonly baseURL: string
  readonly key: string | undefined
  /** Where the key is from, for a refusal. */
  readonly keyNote: string
  readonly body?: Uint8Array<ArrayBuffer>
}

async function ask({ baseURL, path, key, keyNote, accept, ...question }: Question) {
  const { body, method = body ? 'POST' : 'GET' } = question
  const signal = AbortSignal.timeout(patience)
  const headers = {
    'content-type': 'application/json',
    ...(accept && { accept }),
    ...(key && { authorization: `Bearer ${key}` }),
  }
  try {
    const response = await fetch(`${baseURL}${path}`, { method, headers, signal, ...(body && { body }) })
    if (response.ok) return { response, baseURL, signal }
    throw new Failure(refusalOf(response.status, await readable(response, signal), { baseURL, keyNote }))
  } catch (error) {
    throw error instanceof Failure ? error : unreached(baseURL, signal)
  }
}

async function jsonOf({ response, baseURL, signal }: Awaited<ReturnType<typeof ask>>): Promise<unknown> {
  const answer = await readable(response, signal).catch(() => {
    throw unreached(baseURL, signal)
  })
  if (isObject(answer)) return answer
  throw new Failure(refusalOf(response.status, answer, { baseURL, keyNote }))
}

/** The JSON of an answer; undefined if it is none. Rejects if it took too long. */
function readable(response: Response, signal: AbortSignal): Promise<unknown> {
  return response.json().catch((error: unknown) => {
    if (signal.aborted) throw error
  })
}

function unreached(baseURL: string, signal: AbortSignal): Failure {
  return new Failure(signal.aborted ? `${baseURL} did not answer in time.` : nobody(baseURL))
}

function refusalOf(
  status: number,
  answer: unknown,
  { baseURL, keyNote }: { readonly baseURL: string; readonly keyNote: string },
): string {
  const error = isObject(answer) && isObject(answer.error) ? answer.error.message : undefined
  if (typeof error !== 'string') return `What answers at ${baseURL} is no gateway: it says ${status}.`
  return status === 401 ? `${error} ${keyNote}` : error
}
