import type { Wire } from './wires.ts'

/** Ollama's own API: a line of JSON per word, and one choice. `said`: where a line has its text. */
function lines(said: (text: string) => object): Wire {
  const line = (text: string, more: object = { done: false }) =>
    `${JSON.stringify({ model: 'faulty-model', created_at: '2026-11-23T02:58:27.678Z', ...said(text), ...more })}\n`
  const last = (text: string) => line(text, { done: true, done_reason: 'stop', prompt_eval_count: 3, eval_count: 2 })
  return {
    name: 'ollama',
    streamType: 'application/x-ndjson',
    roles: () => [line('')],
    said: ({ choices: [words = []] }, from, to) => words.slice(from, to).map((word) => line(word)),
    finishes: () => [last('')],
    done: [],
    half: () => line('never said').slice(0, 90),
    malformed: () => `${line('x').slice(0, 90)}\n`,
    heartbeat: '\n',
    whole: ({ choices: [words = []] }) => last(words.join('')),
    failure: (error) => JSON.stringify({ error }),
    failing: (error) => `${JSON.stringify({ error })}\n`,
  }
}

export const ollama = lines((content) => ({ message: { role: 'assistant', content } }))
export const ollamaGenerate = lines((response) => ({ response }))
