import { describe, expect, it } from 'vitest'
import { eventsOf } from '../support/ask.ts'
import { runtimes, serveBoth } from '../support/both.ts'
import { asking } from '../support/messages.ts'
import { afterSilence, quick } from '../support/silence.ts'
import { chatFrames } from '../support/upstream.ts'

const served = serveBoth(
  'messages-silence',
  (url) => ({
    ...quick(url),
    providers: { ...quick(url).providers, claude: { type: 'anthropic', baseURL: url, apiKey: 'env:KEY' } },
  }),
  { env: { KEY: 'k' } },
)
const asked = (model: string) => ({ path: '/v1/messages', body: asking(model, 'hi', { stream: true }) })
const ping = /^(event: ping\ndata: {"type":"ping"}\n\n)+$/
const typesOf = (text: string) => eventsOf(text).map(({ event }) => event)

describe.each(runtimes)('On %s, a silence in Anthropic’s API', (runtime) => {
  it('is broken by pings, as at Anthropic', async () => {
    const { first, text } = await afterSilence(served, runtime, asked('m'), chatFrames('Hi').join(''))
    expect(first).toMatch(ping)
    const types = typesOf(text)
    const start = types.indexOf('message_start')
    expect([new Set(types.slice(0, start)), types.at(start + 1)]).toEqual([new Set(['ping']), 'ping'])
    expect(types.at(-1)).toBe('message_stop')
  })

  it('is broken by pings where Claude itself answers late', async () => {
    const end = { type: 'message_delta', delta: { stop_reason: 'end_turn' } }
    const events = [{ type: 'message_start' }, end, { type: 'message_stop' }].map(
      (event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`,
    )
    const { first, text } = await afterSilence(served, runtime, asked('claude/claude-x'), events.join(''))
    expect(first).toMatch(ping)
    expect(text.endsWith(events.join(''))).toBe(true)
  })

  it('that ends in a failure ends with the event that tells it', async () => {
    const { first, text } = await afterSilence(served, runtime, asked('m'), '')
    expect(first).toMatch(ping)
    expect(typesOf(text).at(-1)).toBe('error')
  })
})
