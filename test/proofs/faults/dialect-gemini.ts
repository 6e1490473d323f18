import type { Api } from './apis.ts'
import { misread, type Received, raise } from './verdict.ts'
import { statusNames } from './wire-gemini.ts'

interface Chunk {
  readonly candidates?: readonly Candidate[]
  readonly error?: unknown
}

interface Candidate {
  readonly index?: number
  readonly content?: { readonly parts?: readonly { readonly text?: string }[] }
  readonly finishReason?: string
}

/** Gemini's API. `query`: of a stream, which is a list without one. */
function generating(query: string): Api {
  return {
    path: ({ streams }, { model }) =>
      `/v1beta/models/${model}:${streams ? `streamGenerateContent${query}` : 'generateContent'}`,
    keyHeader: 'x-goog-api-key',
    body: ({ number, fields }) => ({ contents: [{ role: 'user', parts: [{ text: String(number) }] }], ...fields }),
    framing: query === '' ? 'list' : 'events',
    take(text, received) {
      const chunk = JSON.parse(text) as Chunk
      if (chunk.error) return raise(received, 'event', text)
      if (received.finished.size > 0) misread(received, `a chunk behind the last one: ${text}`)
      for (const candidate of chunk.candidates ?? []) addCandidate(candidate, received)
    },
    strict: {
      isOwnError,
      // Google's servers and older clients have an error in a stream so, whether or not an event has told it.
      mayStray: isOwnError,
    },
  }
}

function isOwnError(text: string, status?: number): boolean {
  const { code, message, status: name } = JSON.parse(text).error
  const expected = statusNames[code] ?? (code < 500 ? 'INVALID_ARGUMENT' : 'INTERNAL')
  const isCoded = status === undefined ? Number.isInteger(code) : code === status
  return isCoded && name === expected && typeof message === 'string' && message !== ''
}

function addCandidate({ index = 0, content, finishReason }: Candidate, received: Received): void {
  const text = (content?.parts ?? []).map(({ text = '' }) => text).join('')
  received.texts[index] = (received.texts[index] ?? '') + text
  if (finishReason) received.finished.add(index)
}

export const generateContent = generating('?alt=sse')
export const generateContentList = generating('')
