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

const base = { created: 1_700_000_000, model: 'faulty-model' }

/** A chat chunk as an event. */
export function chunk(number: number, index: number, delta: object, finish: string | null = null): string {
  const choices = [{ index, delta, finish_reason: finish }]
  return frame({ id: `chatcmpl-${number}`, object: 'chat.completion.chunk', ...base, choices })
}

export function frame(data: unknown): string {
  return `data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`
}

export const done = frame('[DONE]')

/** The events that open a stream before its first content. */
export function roles({ number, choices }: Answer): string[] {
  return choices.map((_, index) => chunk(number, index, { role: 'assistant', content: '' }))
}

/** The events for the words `from` to `to`, alternating between the choices. */
export function said({ number, choices }: Answer, from = 0, to = longest(choices)): string[] {
  const frames: string[] = []
  for (let at = from; at < to; at++) {
    for (const [index, words] of choices.entries()) {
      const content = words[at]
      if (content !== undefined) frames.push(chunk(number, index, { content }))
    }
  }
  return frames
}

/** The events that finish every choice, without `[DONE]`. */
export function finishes({ number, choices }: Answer): string[] {
  return choices.map((_, index) => chunk(number, index, {}, 'stop'))
}

function longest(choices: readonly (readonly string[])[]): number {
  return Math.max(...choices.map(({ length }) => length))
}

/** The body of a whole answer. */
export function wholeAnswer({ number, choices }: Answer): string {
  return JSON.stringify({
    id: `chatcmpl-${number}`,
    object: 'chat.completion',
    ...base,
    choices: choices.map((words, index) => ({
      index,
      message: { role: 'assistant', content: words.join(''), refusal: null },
      logprobs: null,
      finish_reason: 'stop',
    })),
    usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
  })
}
