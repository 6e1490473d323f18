/** A source of numbers in [0, 1): passed in, so that tests can repeat them. */
export type Random = () => number

const alphanumeric = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/** `length` characters of `alphabet`; for identifiers, not for secrets. */
function characters(alphabet: string, length: number, random: Random): string {
  let text = ''
  for (let i = 0; i < length; i++) text += alphabet[Math.floor(random() * alphabet.length)]
  return text
}

/** `prefix` and `length` letters and digits. OpenAI's ids of answers have 29. */
export function identifier(prefix: string, random: Random, length = 29): string {
  return prefix + characters(alphanumeric, length, random)
}

/** As OpenAI's. */
export const toolCallId = (random: Random): string => identifier('call_', random, 24)

/** `req_` and 32 hexadecimal digits: the SDKs show it as `_request_id`. Random once and counted on: cheap, and unique. */
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
