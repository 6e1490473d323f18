import { describe, expect, it } from 'vitest'
import { anthropicAt, streams } from '../support/anthropic.ts'
import { event, start } from '../support/anthropic-events.ts'
import { chat, expectBrokenOff, wordsOf } from '../support/ask.ts'
import { runtimes, serveBoth } from '../support/both.ts'
import { stream } from '../support/upstream.ts'

const { upstream, both } = serveBoth(
  'anthropic-resume',
  (url) => ({ ...anthropicAt(url), resume: true, cooldown: false }),
  { env: { KEY: 'sk-ant' } },
)

const text = (...pieces: readonly string[]) => [
  event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
  ...pieces.map((one) => event('content_block_delta', { index: 0, delta: { type: 'text_delta', text: one } })),
]
const broken = stream([start, ...text('Once', ' upon\n')], 'reset')
const rest = streams([...text('\na', ' time.'), event('content_block_stop', { index: 0 })])

describe.each(runtimes)('On %s, a stream of Claude that breaks off', (runtime) => {
  async function ask(model: string) {
    upstream.seen.length = 0
    const script = [broken, rest, rest]
    upstream.script((...exchange) => script.shift()?.(...exchange))
    const { text } = await both.ask(runtime, chat(`anthropic/${model}`, { stream: true }))
    return { text, asked: upstream.seen.map(({ body }) => JSON.parse(body) as { messages: readonly unknown[] }) }
  }

  it.each(['claude-sonnet-4-5', 'claude-3-5-haiku-latest'])('goes on where it ends, at %s', async (model) => {
    const { text, asked } = await ask(model)
    expect(wordsOf(text)).toBe('Once upon\na time.')
    expect(asked[1]?.messages).toEqual([
      ...(asked[0]?.messages ?? []),
      // White space at its end would be refused.
      { role: 'assistant', content: [{ type: 'text', text: 'Once upon' }] },
    ])
  })

  it.each(['claude-opus-4-6', 'claude-next', 'kimi-k2'])('ends with an error, at %s', async (model) => {
    const { text, asked } = await ask(model)
    expectBrokenOff(text)
    expect(asked).toHaveLength(1)
  })
})
