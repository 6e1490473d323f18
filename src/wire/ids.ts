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

/** `req_` and 32 hex digits; SDKs show it as `_request_id`. A random start and a counter are cheap and unique. */
export function requestIds(random: Random): () => string {
  const start = `req_${eightDigits(random)}${eightDigits(random)}${eightDigits(random)}`
  let count = Math.floor(random() * 2 ** 31)
  return () => {
    count = (count + 1) % 2 ** 32
    return start + count.toString(16).padStart(8, '0')
  }
}

function eightDigits(random: Random): string {
  return Math.floor(random() * 2 ** 32)
    .toString(16)
    .padStart(8, '0')
}
