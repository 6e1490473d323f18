/** The numbers of a vector in base64: 32-bit floats, little-endian. Undefined if the text is something else. */
export function decodeVector(text: string): readonly number[] | undefined {
  let binary: string
  try {
    binary = atob(text)
  } catch {
    return undefined
  }
  if (binary.length === 0 || binary.length % 4 !== 0) return undefined
  // Loops, since a batch has millions of numbers, and the ways with a callback or an iterator take ten times as long.
  const view = new DataView(new ArrayBuffer(binary.length))
  for (let at = 0; at < binary.length; at++) view.setUint8(at, binary.charCodeAt(at))
  const vector = new Array<number>(binary.length / 4)
  for (let at = 0; at < vector.length; at++) vector[at] = view.getFloat32(at * 4, true)
  return vector
}

/** How many numbers a vector in base64 has; undefined if they are not whole. */
export function lengthInBase64(text: string): number | undefined {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  const length = ((text.length / 4) * 3 - padding) / 4
  return Number.isInteger(length) ? length : undefined
}

/** Bytes turned into a string at once: more would be too many arguments. */
const run = 8192

export function encodeVector(vector: readonly number[]): string {
  const view = new DataView(new ArrayBuffer(vector.length * 4))
  for (let at = 0; at < vector.length; at++) view.setFloat32(at * 4, vector[at] as number, true)
  let binary = ''
  for (let at = 0; at < view.byteLength; at += run) {
    const bytes = new Uint8Array(view.buffer, at, Math.min(run, view.byteLength - at))
    // Without the iterator that spread arguments would take.
    binary += String.fromCharCode.apply(undefined, bytes as unknown as number[])
  }
  return btoa(binary)
}

/** The first numbers of a vector, at length 1: what is left of a vector that was trained to be cut. */
export function cutVector(vector: readonly number[], length: number): readonly number[] {
  return normalised(vector.slice(0, length))
}

export function normalised(vector: readonly number[]): readonly number[] {
  const norm = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0))
  return norm > 0 ? vector.map((value) => value / norm) : vector
}
