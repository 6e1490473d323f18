import { afterAll, beforeAll, expect } from 'vitest'
import { chat, errorOf, type Reply, type WireError } from './ask.ts'
import { type Both, type Runtime, startBoth } from './both.ts'
import {
  callAnswer,
  chatAnswer,
  chatFrames,
  chunk,
  type FakeUpstream,
  fakeUpstream,
  json,
  type Script,
  stream,
  tokenLogprobs,
} from './upstream.ts'

/** What an upstream answers, and who is known to say so. */
export interface Saying {
  readonly server: string
  readonly status: number
  readonly body: unknown
}

/** Two upstreams behind a gateway on both runtimes: one says what the test tells it to, the other always answers. */
export interface Pair {
  readonly upstream: FakeUpstream
  /** The gateway's answer where a fallback is configured, and how often the first upstream was asked for it. */
  withFallback(runtime: Runtime, script: Script, more?: object): Promise<Outcome>
  /** The gateway's answer where there is no other target. */
  alone(runtime: Runtime, script: Script, more?: object): Promise<Outcome>
  ask: Both['ask']
}

export interface Outcome {
  readonly reply: Reply
  readonly asked: number
}

/** Starts a pair before the tests of this file, and closes it after; `name` is the Worker's bundle's. */
export function servePair(name: string): Pair {
  const pair = {} as Awaited<ReturnType<typeof startPair>>
  beforeAll(async () => {
    Object.assign(pair, await startPair(name))
  })
  afterAll(() => pair.close())
  return pair
}

/** `m-…` has a fallback, `p/…` has none. */
async function startPair(name: string): Promise<Pair & { close(): Promise<void> }> {
  const upstream = await fakeUpstream()
  const standIn = await fakeUpstream((request, ...rest) => {
    const { stream: streams, logprobs, tool_choice: choice } = JSON.parse(request.body) as Record<string, unknown>
    const told = logprobs === true ? tokenLogprobs('from the stand-in') : null
    if (choice === 'required') {
      return json(200, { ...callAnswer('f'), model: 'from the stand-in' })(request, ...rest)
    }
    return (
      streams ? stream(chatFrames('from the stand-in')) : json(200, chatAnswer('from the stand-in', 'stand-in', told))
    )(request, ...rest)
  })
  const type = 'openai-compatible'
  const both = await startBoth(name, {
    providers: { p: { type, baseURL: upstream.url }, q: { type, baseURL: standIn.url } },
    models: { 'm-*': { deployments: ['p/*'], fallbacks: ['stand-in'] }, 'stand-in': { deployments: ['q/stand-in'] } },
  })
  let names = 0
  const put = async (runtime: Runtime, model: string, script: Script, more: object): Promise<Outcome> => {
    upstream.seen.length = 0
    upstream.script(script)
    const reply = await both.ask(runtime, chat(model, more))
    return { reply, asked: upstream.seen.filter(({ method }) => method === 'POST').length }
  }
  return {
    upstream,
    ask: both.ask,
    withFallback: (runtime, script, more = {}) => put(runtime, `m-${++names}`, script, more),
    alone: (runtime, script, more = {}) => put(runtime, `p/${++names}`, script, more),
    async close() {
      await both.close()
      await Promise.all([upstream.close(), standIn.close()])
    },
  }
}

/** Checks that the fallback answered after the first upstream was asked once. */
export function expectStandIn({ reply, asked }: Outcome): void {
  expect(reply.status, reply.text).toBe(200)
  expect(reply.text).toContain('from the stand-in')
  expect(asked).toBe(1)
}

/** Checks that the client is told an error after one try, and hands it out. */
export function expectTold({ reply, asked }: Outcome, status: number, code: string | null): WireError {
  expect(reply.status, reply.text).toBe(status)
  const error = errorOf(reply)
  expect(error.code).toBe(code)
  expect(asked).toBe(1)
  return error
}

/** The same error at the start of a stream under 200, as routers send it. */
export function inStream(error: unknown): Script {
  return stream([chunk({ role: 'assistant', content: '' }), `data: ${JSON.stringify({ error })}\n\n`])
}
