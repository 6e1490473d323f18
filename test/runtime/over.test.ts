import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Context } from 'hono'
import { describe, expect, it } from 'vitest'
import { type Answer, whenOver } from '../../src/core/answer.ts'
import { Abort } from '../../src/core/signal.ts'
import type { Step } from '../../src/core/stream.ts'
import { fetchEdge } from '../../src/runtime/fetch-edge.ts'
import { FetchSource } from '../../src/runtime/fetch-source.ts'
import { nodeEdge } from '../../src/runtime/node-edge.ts'
import type { NodeBindings } from '../../src/runtime/node-listener.ts'
import { until } from '../support/ask.ts'
import { ManualClock } from '../support/gateway.ts'
import { answerOf, bytes, Listener, pumpOf, turns } from '../support/sinks.ts'

const looking: Step = { watch: { see() {} }, carried: 'watch' }
const checking: Step = { stage: { chunk: (chunk, emit) => emit(chunk) }, carried: 'never' }
/** Stops the stream at its first chunk, as a check does that finds a fault. */
const stopping = (): Step => {
  const stage = {
    over: false,
    chunk() {
      stage.over = true
    },
  }
  return { stage, carried: 'never' }
}

function counted(answer: Answer, ...outer: Step[]) {
  const seen = { over: 0 }
  const noted = whenOver(answer, () => seen.over++)
  const { body } = noted
  const steps = 'steps' in body ? [...body.steps, ...outer] : []
  return { seen, answer: 'source' in body ? { ...noted, body: { source: body.source, steps } } : noted }
}

describe('A policy hears once that an answer is over', () => {
  it('at once when it is whole', () => {
    expect(counted(answerOf(bytes('{}'))).seen.over).toBe(1)
  })

  it.each(['finish', 'break'] as const)('when its stream comes to a %s', (end) => {
    const { pump } = pumpOf()
    const { seen, answer } = counted(answerOf(pump))
    new Listener(answer, new ManualClock())
    pump.push(bytes('a'))
    expect(seen.over).toBe(0)
    if (end === 'finish') pump.finish()
    else pump.break(new Error('broken'))
    expect(seen.over).toBe(1)
  })

  it('when another policy outside stops the stream', () => {
    const { pump } = pumpOf()
    const { seen, answer } = counted(answerOf(pump), stopping())
    new Listener(answer, new ManualClock())
    pump.push(bytes('a'))
    pump.finish()
    expect(seen.over).toBe(1)
  })

  it('when the client leaves', () => {
    const { pump } = pumpOf()
    const { seen, answer } = counted(answerOf(pump))
    const client = new Listener(answer, new ManualClock())
    client.cancel('left')
    client.cancel('left')
    expect(seen.over).toBe(1)
  })
})

/** A stream as `fetch` brings it, whose opening was looked at, on its way out of a Worker. */
function fetched(...outer: Step[]) {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined
  const stream = new ReadableStream<Uint8Array>({
    start(given) {
      controller = given
    },
  })
  const source = new FetchSource(new Response(stream), new Abort())
  source.peek({ chunk: () => true, end() {}, fail() {} })
  const { seen, answer } = counted({ status: 200, headers: {}, body: { source, steps: [] } }, ...outer)
  const clock = new ManualClock()
  const client = new Abort()
  const response = fetchEdge({ clock, writeTimeout: 60_000 }).send({} as Context<{ Bindings: object }>, answer, client)
  return { seen, clock, client, response, upstream: controller as ReadableStreamDefaultController<Uint8Array> }
}

/** Lets time pass until the stream is over. */
async function pass(clock: ManualClock, seen: { readonly over: number }): Promise<void> {
  for (let seconds = 0; seconds < 200 && seen.over === 0; seconds++) {
    await turns(5)
    await clock.advance(1_000)
  }
}

describe.each([
  ['untouched', []],
  ['observed', [looking]],
  ['checked', [checking]],
] as const)('A policy hears once that a stream through the fetch edge is over: %s', (_mode, outer) => {
  it('when it was read to its end', async () => {
    const { seen, response, upstream } = fetched(...outer)
    upstream.enqueue(bytes('a'))
    upstream.close()
    expect(await response.text()).toBe('a')
    await until(() => seen.over > 0)
    expect(seen.over).toBe(1)
  })

  it('when it breaks', async () => {
    const { seen, clock, response, upstream } = fetched(...outer)
    upstream.enqueue(bytes('a'))
    const read = response.text().catch(() => 'broken')
    await turns()
    upstream.error(new Error('broken'))
    await pass(clock, seen)
    expect(await read).toBe('broken')
    expect(seen.over).toBe(1)
  })

  it('when the client leaves', async () => {
    const { seen, clock, response, upstream } = fetched(...outer)
    const reader = response.body?.getReader()
    upstream.enqueue(bytes('a'))
    await reader?.read()
    await reader?.cancel()
    upstream.enqueue(bytes('b'))
    await pass(clock, seen)
    expect(seen.over).toBe(1)
  })
})

it('A policy hears that a carried stream is over when its client takes nothing of it, and so does the upstream', async () => {
  const { seen, clock, client, upstream } = fetched(looking)
  for (let at = 0; at < 40; at++) upstream.enqueue(new Uint8Array(8 * 1024))
  upstream.close()
  await pass(clock, seen)
  expect([seen.over, client.aborted]).toEqual([1, true])
})

describe('A policy hears once that a stream through the Node edge is over', () => {
  const serve = async (body: (seen: { over: number }) => Answer, before: (leave: () => void) => Promise<void>) => {
    const seen = { over: 0 }
    const served = Promise.withResolvers<void>()
    const controller = new AbortController()
    const server = createServer(async (incoming, outgoing) => {
      await before(() => controller.abort())
      const edge = nodeEdge({ clock: new ManualClock(), writeTimeout: 60_000 })
      const context = { env: { incoming, outgoing } } as Context<{ Bindings: NodeBindings }>
      edge.send(
        context,
        whenOver(body(seen), () => seen.over++),
        edge.watch(context),
      )
      served.resolve()
    })
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const reply = fetch(url, { signal: controller.signal }).then((response) => response.text())
    const text = await Promise.race([
      reply.catch(() => 'broken'),
      served.promise.then(() => reply.catch(() => 'broken')),
    ])
    await until(() => seen.over > 0)
    server.closeAllConnections()
    await new Promise((closed) => server.close(closed))
    return { text, over: seen.over }
  }

  it('when it ends', async () => {
    const { pump } = pumpOf()
    pump.push(bytes('a'))
    pump.finish()
    expect(
      await serve(
        () => answerOf(pump),
        async () => {},
      ),
    ).toEqual({ text: 'a', over: 1 })
  })

  it('when it breaks', async () => {
    const { pump } = pumpOf()
    pump.push(bytes('a'))
    pump.break(new Error('broken'))
    expect(
      await serve(
        () => answerOf(pump),
        async () => {},
      ),
    ).toEqual({ text: 'broken', over: 1 })
  })

  it('when the client has left before it comes', async () => {
    const { pump } = pumpOf()
    const before = async (leave: () => void) => {
      leave()
      await new Promise((turn) => setTimeout(turn, 20))
    }
    expect(await serve(() => answerOf(pump), before)).toEqual({ text: 'broken', over: 1 })
  })
})
