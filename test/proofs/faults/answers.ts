import { createHash } from 'node:crypto'

/** What an upstream says to one request when nothing goes wrong. */
export interface Answer {
  readonly number: number
  readonly streams: boolean
  /** The words of every choice, the last of them a seal over the others. */
  readonly choices: readonly (readonly string[])[]
}

/** The words of a choice. The seal tells a text that was cut or mixed up without anybody who knows the right one. */
export function sealed(number: number, choice: number, words: readonly string[]): readonly string[] {
  const text = [`${number}/${choice}`, ...words].map((word) => `${word} `)
  return [...text, sealOf(text.join(''))]
}

/** Whether a text ends with the seal over all that stands before it. */
export function isSealed(text: string): boolean {
  const at = text.lastIndexOf(' ') + 1
  return at > 0 && text.slice(at) === sealOf(text.slice(0, at))
}

function sealOf(text: string): string {
  return `${text.length}:${createHash('sha256').update(text).digest('hex').slice(0, 8)}`
}

const base = { created: 1_700_000_000, model: 'faulty-model' }

/** A chunk of a chat's stream, in a frame of its own. */
export function chunk(number: number, index: number, delta: object, finish: string | null = null): string {
  const choices = [{ index, delta, finish_reason: finish }]
  return frame({ id: `chatcmpl-${number}`, object: 'chat.completion.chunk', ...base, choices })
}

export function frame(data: unknown): string {
  return `data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`
}

export const done = frame('[DONE]')

/** The frames that open a stream before its first content. */
export function roles({ number, choices }: Answer): string[] {
  return choices.map((_, index) => chunk(number, index, { role: 'assistant', content: '' }))
}

/** The frames of the words from one place to another, the choices in turn. */
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

/** The frames that finish every choice; `[DONE]` is not among them. */
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
