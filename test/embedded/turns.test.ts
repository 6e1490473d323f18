import { describe, expect, it, test, vi } from 'vitest'
import type { JsonObject, Operation } from '../../providers/embedded/engine.ts'
import { errorOf } from '../support/ask.ts'
import { runtimes, startBoth } from '../support/both.ts'
import { duringTests } from '../support/during-tests.ts'
import { usually } from '../support/usually.ts'
import { complete, engine, options } from './engine-fixture.ts'

// The model computes in earnest, which takes a while on a machine that does other things too.
vi.setConfig({ testTimeout: 180_000 })

const words = 'word '.repeat(300)
const LONG: Record<string, [Operation, JsonObject]> = {
  'a list of prompts': ['completions', { prompt: Array(128).fill('a'), max_tokens: 1 }],
  'many answers to one prompt': ['completions', { prompt: 'a', n: 128, max_tokens: 1 }],
  'a long prompt': ['completions', { prompt: words, max_tokens: 1 }],
  'a long answer': ['chat', { messages: [{ role: 'user', content: 'Tell me a story' }], max_tokens: 100 }],
  'many JSON answers': [
    'chat',
    { messages: [{ role: 'user', content: 'hi' }], response_format: { type: 'json_object' }, n: 8, max_tokens: 4 },
  ],
}

const clocks: readonly [which: string, step: number][] = [
  ['whose clock stands still', 0],
  ['whose clock runs', 4],
]

describe('The embedded model lets others have their turn', () => {
  // The clock advances by a fixed time with each look at it, so that the test does not depend on the machine's speed.
  for (const [what, [operation, body]] of Object.entries(LONG)) {
    it.each(usually(what === 'a list of prompts' ? clocks : clocks.slice(-1), clocks))(
      `during ${what} on a runtime %s`,
      async (_which, step) => {
        let time = 0
        let looks = 0
        let most = 0
        const now = () => {
          most = Math.max(most, ++looks)
          time += step
          return time
        }
        const pause = async () => {
          looks = 0
        }
        await engine.complete(operation, body, options({ now, pause }))
        expect(most).toBeGreaterThan(0)
        expect(most).toBeLessThanOrEqual(step > 0 ? 5 : 18)
      },
    )
  }

  it('and tells the same answer as without pauses', async () => {
    const body = { prompt: ['The', words], max_tokens: 8 }
    const whole = await engine.complete('completions', body, options({ now: () => 0 }))
    expect(whole).toEqual(await complete('completions', body))
  })
})

const both = duringTests(() => startBoth('embedded-turns', { providers: { demo: { type: 'embedded' } } }))

describe.each(runtimes)('on %s', (runtime) => {
  const ask = (more: object) => both.ask(runtime, { model: 'demo/tiny-chat', max_tokens: 1, ...more }, '/completions')

  test('/health answers while the embedded model works through a list of prompts', async () => {
    let answered = false
    const answer = ask({ prompt: Array(8).fill(words.slice(0, 500)) }).then((reply) => {
      answered = true
      return reply
    })
    const health = both.addresses[runtime].replace('/v1', '/health')
    let during = 0
    while (!answered) {
      expect((await fetch(health)).status).toBe(200)
      if (!answered) during++
    }
    expect((await answer).status).toBe(200)
    expect(during).toBeGreaterThan(5)
  })

  test.each([
    [{ prompt: Array(20_000).fill('a') }, 128, 20_000],
    [{ prompt: Array(129).fill([5]) }, 128, 129],
    [{ prompt: Array(65).fill('a'), n: 2 }, 64, 65],
  ])('more than 128 answers to one request are refused', async (body, most, length) => {
    const reply = await ask(body)
    const message = `Invalid 'prompt': array too long. Expected an array with maximum length ${most}, but got an array with length ${length} instead.`
    expect(reply.status).toBe(400)
    expect(errorOf(reply)).toMatchObject({ message, code: 'array_above_max_length', param: 'prompt' })
  })

  test.each([
    ['128 prompts', { prompt: Array(128).fill('a') }, 128],
    ['64 prompts with two answers each', { prompt: Array(64).fill('a'), n: 2 }, 128],
    ['one prompt of more than 128 tokens', { prompt: Array(200).fill(5) }, 1],
  ])('%s are answered', async (_what, body, choices) => {
    const reply = await ask(body)
    expect([reply.status, (JSON.parse(reply.text) as { choices: unknown[] }).choices.length]).toEqual([200, choices])
  })
})
