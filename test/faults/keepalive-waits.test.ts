import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { chat, errorOf, expectBrokenOff, until, wordsOf } from '../support/ask.ts'
import { type Both, type Runtime, runtimes, startBoth } from '../support/both.ts'
import { chatFrames, type FakeUpstream, fakeUpstream, json, type Script, stream } from '../support/upstream.ts'

const type = 'openai-compatible'
const good = stream(chatFrames('good', ' day'))
/** The gateway waits that long before it asks again. */
const busy = json(503, { error: { message: 'busy' } }, { 'retry-after-ms': '400' })

let first: FakeUpstream
let second: FakeUpstream
/** Two gateways that differ in how soon a stream opens: after a silence that every test has, and after none has. */
let soon: Both
let never: Both

beforeAll(async () => {
  first = await fakeUpstream()
  second = await fakeUpstream()
  const config = {
    providers: { a: { type, baseURL: first.url }, b: { type, baseURL: second.url } },
    models: { m: { deployments: ['a/m'], fallbacks: ['b/m'] } },
    retries: 1,
    cooldown: { allowedFails: 1_000, minRequests: 1_000 },
  }
  soon = await startBoth('keepalive-soon', { ...config, keepAlive: 0.05 })
  never = await startBoth('keepalive-never', { ...config, keepAlive: 600 })
})
afterAll(async () => {
  await Promise.all([soon.close(), never.close()])
  await Promise.all([first.close(), second.close()])
})
beforeEach(() => {
  for (const upstream of [first, second]) upstream.script(good)
})

/** For requests to the model; lists of models there are none. */
function scripts(upstream: FakeUpstream, ...given: Script[]): void {
  const queue = [...given]
  upstream.script((request, ...rest) => {
    const script = request.method === 'GET' ? json(404, {}) : queue.shift()
    return script?.(request, ...rest)
  })
}

/** What a client hears of a stream: all so far, and whether an answer has begun at all. */
class Hearing {
  text = ''
  response: Response | undefined
  readonly over: Promise<void>

  constructor(both: Both, runtime: Runtime) {
    this.over = this.#listen(both, runtime)
  }

  get comments(): number {
    return this.text.split(': keep-alive\n\n').length - 1
  }

  /** Runs `script` when the client has heard so many comments more. */
  after(comments: number, script: Script): Script {
    return async (...asked) => {
      const heard = this.comments
      await until(() => this.comments >= heard + comments)
      return script(...asked)
    }
  }

  async #listen({ addresses, key }: Both, runtime: Runtime): Promise<void> {
    const response = await fetch(`${addresses[runtime]}/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
      body: JSON.stringify(chat('m', { stream: true })),
    })
    this.response = response
    const decoder = new TextDecoder()
    for await (const bytes of response.body ?? []) this.text += decoder.decode(bytes, { stream: true })
  }
}

describe.each(runtimes)('A stream that is slow to begin, on %s', (runtime) => {
  it('hears comments while the gateway waits before it asks again', async () => {
    let hearing: Hearing
    let before = 0
    let between = 0
    scripts(
      first,
      (...asked) => {
        before = hearing.comments
        return busy(...asked)
      },
      (...asked) => {
        between = hearing.comments
        return good(...asked)
      },
    )
    hearing = new Hearing(soon, runtime)
    await hearing.over
    expect([hearing.response?.status, wordsOf(hearing.text)]).toEqual([200, 'good day'])
    expect(between).toBeGreaterThan(before)
    expect(hearing.text).toContain(': x-samewire-model: a/m\n\n')
  })

  it('hears them all the way: of a try, of the wait for the next one, and of the fallback', async () => {
    const hearing: Hearing = new Hearing(soon, runtime)
    let between = 0
    scripts(first, hearing.after(2, busy), (...asked) => {
      between = hearing.comments
      return hearing.after(2, json(500, { error: { message: 'oops' } }))(...asked)
    })
    scripts(second, hearing.after(2, good))
    await hearing.over
    expect(between).toBeGreaterThan(2)
    expect(hearing.comments).toBeGreaterThanOrEqual(between + 4)
    expect([hearing.response?.status, wordsOf(hearing.text)]).toEqual([200, 'good day'])
    expect(hearing.text).toContain(': x-samewire-model: b/m\n\n')
    const content = hearing.text.slice(hearing.text.indexOf('data:'))
    expect(content).not.toContain('keep-alive')
  })

  it('is told the last failure in an event when it has heard them', async () => {
    const hearing: Hearing = new Hearing(soon, runtime)
    scripts(first, hearing.after(1, busy), busy)
    scripts(second, hearing.after(1, json(401, {})))
    await hearing.over
    expect(hearing.response?.status).toBe(200)
    expect(expectBrokenOff(hearing.text).code).toBe('capacity_exhausted')
  })

  it('hears nothing, not even a status, before its first content, where a silence is to be longer', async () => {
    const opened: unknown[] = []
    const hearing: Hearing = new Hearing(never, runtime)
    const noting =
      (script: Script): Script =>
      (...asked) => {
        opened.push(hearing.response?.status, hearing.text)
        return script(...asked)
      }
    scripts(first, noting(busy), noting(json(500, { error: { message: 'oops' } })))
    scripts(second, noting(good))
    await hearing.over
    expect(opened).toEqual(Array(3).fill([undefined, '']).flat())
    expect(hearing.response?.headers.get('x-samewire-model')).toBe('b/m')
    expect([wordsOf(hearing.text), hearing.comments]).toEqual(['good day', 0])
  })

  it('is told the last failure by the status then', async () => {
    scripts(first, busy, busy)
    scripts(second, json(401, {}))
    const reply = await never.ask(runtime, chat('m', { stream: true }))
    expect([reply.status, errorOf(reply).code]).toEqual([503, 'capacity_exhausted'])
  })
})
