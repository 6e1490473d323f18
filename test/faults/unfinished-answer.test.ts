import { describe, expect, test } from 'vitest'
import { errorOf } from '../support/ask.ts'
import { runtimes, serveBoth } from '../support/both.ts'
import { json } from '../support/upstream.ts'

// ollama/ollama#13239: 0.13.0 answers `"stream": false` with an object in the shape of a stream's piece.
const created = { model: 'llama3.2', created_at: '2025-11-25T13:51:58.481232019Z' }
const counts = { done: true, done_reason: 'stop', prompt_eval_count: 3, eval_count: 2 }
const calls = [{ function: { name: 'get_weather', arguments: { city: 'Paris' } } }]

const KINDS = [
  {
    what: 'a chat',
    path: '/chat/completions',
    body: { model: 'o/llama3.2', messages: [{ role: 'user', content: 'hi' }] },
    piece: { ...created, message: { role: 'assistant', content: 'This is a very' } },
    whole: { ...created, message: { role: 'assistant', content: 'It said "done":false.' } },
  },
  {
    what: 'a chat that calls a tool',
    path: '/chat/completions',
    body: { model: 'o/llama3.2', messages: [{ role: 'user', content: 'hi' }] },
    piece: { ...created, message: { role: 'assistant', content: '', tool_calls: calls } },
    whole: { ...created, message: { role: 'assistant', content: 'It said "done":false.', tool_calls: calls } },
  },
  {
    what: 'a completion',
    path: '/completions',
    body: { model: 'o/llama3.2', prompt: 'hi' },
    piece: { ...created, response: ' \n\nThis is a very' },
    whole: { ...created, response: 'It said "done":false.' },
  },
]

const { upstream: ollama, both } = serveBoth('unfinished-answer', (baseURL) => ({
  providers: { o: { type: 'ollama', baseURL } },
}))

describe.each(runtimes)('on %s', (runtime) => {
  describe.each(KINDS)('$what', ({ path, body, piece, whole }) => {
    test('is asked for again if Ollama sends a piece of it, and told whole', async () => {
      const sent = ollama.seen.length
      ollama.script(json(200, { ...piece, done: false }), json(200, { ...whole, ...counts }))
      const reply = await both.ask(runtime, body, path)
      expect([reply.status, ollama.seen.length - sent]).toEqual([200, 2])
      expect(reply.text).toContain(JSON.stringify('It said "done":false.'))
      expect(reply.text).not.toContain('This is a very')
    })

    test('fails if Ollama never finishes it', async () => {
      ollama.script(json(200, { ...piece, done: false }))
      const reply = await both.ask(runtime, body, path)
      expect([reply.status, errorOf(reply).code]).toEqual([502, 'upstream_invalid_response'])
    })

    test.each([
      ['says that it is done', counts],
      ['says nothing about that', {}],
    ])('is told as it is if Ollama %s', async (_says, more) => {
      const sent = ollama.seen.length
      ollama.script(json(200, { ...whole, ...more }))
      const reply = await both.ask(runtime, body, path)
      expect([reply.status, ollama.seen.length - sent]).toEqual([200, 1])
      expect(reply.text).toContain(JSON.stringify('It said "done":false.'))
    })
  })
})
