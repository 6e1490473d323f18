import type { Api } from './apis.ts'
import type { Plan } from './plan.ts'
import { misread, raise } from './verdict.ts'

interface Line {
  readonly message?: { readonly content?: string }
  readonly response?: string
  readonly done?: boolean
  readonly error?: unknown
}

interface Manner {
  readonly path: string
  asked(number: string): object
  said(line: Line): string | undefined
}

/** Ollama's own API: a line of JSON at a time, and one that says that all is done. */
function lines({ path, asked, said }: Manner): Api {
  return {
    path: () => path,
    body: ({ number, streams, fields }: Plan, { model }) => ({
      model,
      ...asked(String(number)),
      // It streams if nothing is said.
      ...(!streams && { stream: false }),
      ...fields,
    }),
    framing: 'lines',
    take(text, received) {
      const line = JSON.parse(text) as Line
      if (line.error !== undefined) return raise(received, 'event', text)
      const words = said(line)
      if (received.finished.size > 0) misread(received, `a line behind the last one: ${text}`)
      if (words === undefined) misread(received, `a line without a text: ${text}`)
      received.texts[0] = (received.texts[0] ?? '') + (words ?? '')
      if (line.done) received.finished.add(0)
    },
    strict: {
      isOwnError(text) {
        const { error, ...more } = JSON.parse(text)
        return typeof error === 'string' && error !== '' && Object.keys(more).length === 0
      },
    },
  }
}

export const ollamaChat = lines({
  path: '/api/chat',
  asked: (content) => ({ messages: [{ role: 'user', content }] }),
  said: ({ message }) => message?.content,
})

export const ollamaGenerate = lines({
  path: '/api/generate',
  asked: (prompt) => ({ prompt }),
  said: ({ response }) => response,
})
