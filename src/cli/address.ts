import { type Described, Misuse } from './command.ts'

export const keyOption: Described = { syntax: '--key <KEY>', text: 'Its key. Without it, SAMEWIRE_KEY.' }

/** The options of commands that talk to a running gateway. */
export const addressOptions: readonly Described[] = [
  { syntax: '--url <URL>', text: 'The gateway. Without it, SAMEWIRE_URL or http://127.0.0.1:8787.' },
  keyOption,
]

/** The same for commands that are the operator's. */
export const operatorOptions: readonly Described[] = [
  { syntax: '--url <URL>', text: 'The gateway. Without it, SAMEWIRE_URL or http://127.0.0.1:8787.' },
  { syntax: '--key <KEY>', text: 'Its admin key. Without it, SAMEWIRE_ADMIN_KEY.' },
]

const usual = 'http://127.0.0.1:8787'

/** The base URL of OpenAI's API at an address: one without a path gets `/v1`. Throws a `Misuse`. */
export function baseURLOf(given: string | undefined, env: NodeJS.ProcessEnv): string {
  const address = given ?? (env.SAMEWIRE_URL || usual)
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (!url || !/^https?:$/.test(url.protocol)) throw new Misuse(`${address} is no address; such as ${usual}`)
  return url.pathname === '/' ? `${url.origin}/v1` : address.replace(/\/+$/, '')
}

/** Says that a connection failed, and what to do. */
export function nobody(baseURL: string): string {
  const host = URL.canParse(baseURL) ? new URL(baseURL).hostname : ''
  const local = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(host)
  return `Nobody answers at ${baseURL}${local ? ': run `samewire`, or `npm start` in a clone, in another terminal' : ''}.`
}

/** Where the key is from, which a gateway refuses. */
export const keyNote = '(Here the key comes from SAMEWIRE_KEY or --key.)'
export const adminKeyNote = '(Here the key comes from SAMEWIRE_ADMIN_KEY or --key.)'
