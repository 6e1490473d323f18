import { describe, expect, it } from 'vitest'
import { runtimes, serveBoth } from '../support/both.ts'
import { asking } from '../support/messages.ts'
import { chatSaying } from '../support/response-events.ts'
import { chunk, json, stream } from '../support/upstream.ts'

const { upstream, both } = serveBoth('left-out', (url) => ({
  providers: { up: { type: 'openai-compatible', baseURL: url } },
}))

const citation = {
  type: 'url_citation',
  url_citation: { url: 'https://a.example', title: 'A', start_index: 0, end_index: 2 },
}
const picture = { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } }
const extras = {
  annotations: [citation],
  images: [picture],
  audio: { id: 'audio_1', data: 'UklGRg==', transcript: 'Hi' },
}
const all = ['annotations', 'images', 'audio']

const contents = [{ parts: [{ text: 'hi' }] }]
const chat = { messages: [{ role: 'user', content: 'hi' }] }
const apis = [
  {
    api: 'Anthropic',
    path: '/messages',
    streamed: '/messages',
    ask: (stream: boolean) => asking('up/m', 'hi', { stream }),
    without: all,
  },
  {
    api: 'Gemini',
    path: '/v1beta/models/up/m:generateContent',
    streamed: '/v1beta/models/up/m:streamGenerateContent?alt=sse',
    ask: () => ({ contents }),
    without: ['annotations', 'audio'],
  },
  {
    api: 'Ollama',
    path: '/api/chat',
    streamed: '/api/chat',
    ask: (stream: boolean) => ({ ...chat, model: 'up/m', stream }),
    without: all,
  },
  {
    api: 'OpenAI, of responses',
    path: '/responses',
    streamed: '/responses',
    ask: (stream: boolean) => ({ model: 'up/m', input: 'hi', stream }),
    without: ['images', 'audio'],
  },
]

describe.each(runtimes)('On %s, what an answer holds and an API has no place for, that', (runtime) => {
  describe.each(apis)('of $api', ({ path, streamed, ask, without }) => {
    const names = without.map((name) => `answer.${name}`).join(', ')

    async function answer(message: object): Promise<string | null> {
      upstream.script(json(200, chatSaying({ content: 'Hi', ...message })))
      const reply = await both.ask(runtime, ask(false), path)
      expect(reply.status, reply.text).toBe(200)
      return reply.headers.get('x-samewire-dropped')
    }

    it('is named in a header', async () => {
      expect(await answer(extras)).toBe(names)
    })

    it('is not, where there is nothing of it', async () => {
      expect(await answer({ annotations: [], images: [], audio: null })).toBeNull()
    })

    it('is named in a comment of a stream, where its clients pass over them', async () => {
      upstream.script(
        stream([chunk({ role: 'assistant', content: 'Hi' }), chunk(extras), chunk({}, 'stop'), 'data: [DONE]\n\n']),
      )
      const { status, text } = await both.ask(runtime, ask(true), streamed)
      expect(status, text).toBe(200)
      const comments = text.split('\n\n').filter((event) => event.startsWith(':'))
      expect(comments).toEqual(/^\/(messages|responses)$/.test(path) ? [`: x-samewire-dropped: ${names}`] : [])
    })
  })
})
