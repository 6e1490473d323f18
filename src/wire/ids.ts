/** A source of numbers in [0, 1), injected so that tests can repeat them. */
export type Random = () => number

const alphanumeric = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/** `length` random characters of `alphabet`; for identifiers, not for secrets. */
function characters(alphabet: string, length: number, random: Random): string {
  let text = ''
  for (let i = 0; i < length; i++) text += alphabet[Math.floor(random() * alphabet.length)]
  return text
}

/** `prefix` and `length` letters and digits. OpenAI's answer ids have 29. */
export function identifier(prefix: string, random: Random, length = 29): string {
  return prefix + characters(alphanumeric, length, random)
}

/** `call_` and 24 characters, like OpenAI's. */
export const toolCallId = (random: Random): string => identifier('call_', random, 24)

/**
 * `req_` and 32 hex digits; SDKs show it as `_request_id`. The time in milliseconds comes first and a counter next, so
 * that ids sort by when they were made: stores append what sorts last at a small part of the cost of a random place. The
 * rest is random, once, since others count too.
 */
export function requestIds(random: Random, now: () => number): () => string {
  const own = `${eightDigits(random)}${eightDigits(random).slice(4)}`
  let count = least + Math.floor(random() * 2 ** 24)
  let last = Number.NaN
  let prefix = ''
  return () => {
    const ms = Math.floor(now())
    if (ms !== last) {
      last = ms
      prefix = requestIdAt(ms)
    }
    count = count === most ? least : count + 1
    return prefix + count.toString(16) + own
  }
}

/** The numbers of eight hex digits, so that none has to be filled up. */
const [least, most] = [2 ** 28, 2 ** 32 - 1]

/** How the ids begin that are made at a time, in milliseconds since 1970. Earlier ones sort before it. */
export function requestIdAt(ms: number): string {
  return `req_${Math.max(0, Math.floor(ms)).toString(16).padStart(12, '0')}`
}

function eightDigits(random: Random): string {
  return Math.floor(random() * 2 ** 32)
    .toString(16)
    .padStart(8, '0')
}
