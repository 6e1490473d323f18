import { createHash } from 'node:crypto'

/** An upstream's answer to one request without a fault. */
export interface Answer {
  readonly number: number
  readonly streams: boolean
  /** The words of every choice, the last of them a checksum of the others. */
  readonly choices: readonly (readonly string[])[]
}

/** The words of a choice. The checksum reveals a text that was cut or mixed up, without a copy to compare with. */
export function sealed(number: number, choice: number, words: readonly string[]): readonly string[] {
  const text = [`${number}/${choice}`, ...words].map((word) => `${word} `)
  return [...text, sealOf(text.join(''))]
}

/** Whether a text ends with the checksum of everything before it. */
export function isSealed(text: string): boolean {
  const at = text.lastIndexOf(' ') + 1
  return at > 0 && text.slice(at) === sealOf(text.slice(0, at))
}

function sealOf(text: string): string {
  return `${text.length}:${createHash('sha256').update(text).digest('hex').slice(0, 8)}`
}

/** The rest of an answer of which a client has the beginning, as servers that continue an assistant's message give it. */
export function continued<T extends Answer>(answer: T, beginning: string): T {
  const text = answer.choices[0]?.join('') ?? ''
  const rest = text.startsWith(beginning) ? text.slice(beginning.length) : ' (asked to continue another text)'
  return { ...answer, choices: [rest === '' ? [] : [rest]] }
}
