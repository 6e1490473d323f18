import type { Deployment } from './catalog.ts'

/**
 * Ranks deployments for the requests with one key, by weighted rendezvous hashing: keys are spread by weight, and if a
 * deployment drops out, only its own keys move.
 */
export function rendezvous(key: string): (deployment: Deployment) => number {
  const seed = hash(key)
  return ({ label, weight }) => {
    // Above 0 and below 1, so that its logarithm is below 0.
    const point = (mixed(seed ^ hash(label)) + 0.5) / 2 ** 32
    return -weight / Math.log(point)
  }
}

/** FNV-1a over UTF-16 units. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193)
  return value
}

/** The last steps of MurmurHash3, which make every bit depend on all others. Unsigned. */
function mixed(value: number): number {
  const first = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  const second = Math.imul(first ^ (first >>> 13), 0xc2b2ae35)
  return (second ^ (second >>> 16)) >>> 0
}
