import type { Wire } from './wires.ts'

/** https://cloud.google.com/apis/design/errors#handling_errors */
export const statusNames: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  499: 'CANCELLED',
  500: 'INTERNAL',
  502: 'UNAVAILABLE',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
}

const usageMetadata = { promptTokenCount: 3, candidatesTokenCount: 2, totalTokenCount: 5 }

function answer(number: number, text: string | undefined, more: object = {}): object {
  const parts = text === undefined ? {} : { parts: [{ text }] }
  return {
    candidates: [{ content: { ...parts, role: 'model' }, index: 0, ...more }],
    usageMetadata,
    modelVersion: 'faulty-model',
    responseId: `response-${number}`,
  }
}

export function errorOf(message: string, code: number): object {
  const status = statusNames[code] ?? (code < 500 ? 'INVALID_ARGUMENT' : 'INTERNAL')
  return { error: { code, message, status } }
}

const frame = (data: object) => `data: ${JSON.stringify(data)}\n\n`

/** Gemini's API: every event is a part of the answer, and the last has the reason. */
export const gemini: Wire = {
  name: 'gemini',
  streamType: 'text/event-stream',
  // While a model thinks, its chunks have no parts.
  roles: ({ number }) => [frame(answer(number, undefined))],
  said: ({ number, choices: [words = []] }, from, to) =>
    words.slice(from, to).map((word) => frame(answer(number, word))),
  finishes: ({ number }) => [frame(answer(number, '', { finishReason: 'STOP' }))],
  done: [],
  half: ({ number }) => frame(answer(number, 'never said')).slice(0, 50),
  malformed: ({ number }) => `${frame(answer(number, 'x')).slice(0, 50)}\n\n`,
  heartbeat: ': still there\n\n',
  whole: ({ number, choices: [words = []] }) =>
    JSON.stringify(answer(number, words.join(''), { finishReason: 'STOP' })),
  failure: (message, _code, status = 500) => JSON.stringify(errorOf(message, status)),
  failing: (message) => frame(errorOf(message, 503)),
}
