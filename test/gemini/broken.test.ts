import { request } from 'node:http'
import { describe, expect, it } from 'vitest'
import { withStep } from '../../src/core/answer.ts'
import { gapTime } from '../../src/core/stream.ts'
import { ContentReader } from '../../src/dialects/gemini/reader.ts'
import { integrityStep } from '../../src/layers/integrity.ts'
import { asGatewayError, errorEnvelope, GatewayError } from '../../src/wire/errors.ts'
import { type Runtime, runtimes, serveBoth } from '../support/both.ts'
import { ManualClock } from '../support/gateway.ts'
import { answerOf, bytes, Listener, pumpOf } from '../support/sinks.ts'
import { chunk, json, type Script, stream } from '../support/upstream.ts'

const { upstream, both } = serveBoth(
  'gemini-broken',
  (url) => ({
    providers: {
      up: { type: 'openai-compatible', baseURL: url },
      google: { type: 'gemini', baseURL: url, apiKey: 'env:KEY' },
    },
    models: { forwarded: { deployments: ['google/gemini-x'], streams: 'observed' } },
    retries: 0,
    cooldown: false,
    keepAlive: 0.05,
  }),
  { env: { KEY: 'AIza-up' } },
)

const contents = [{ role: 'user', parts: [{ text: 'hi' }] }]
const event = (fields: object) => `data: ${JSON.stringify(fields)}\r\n\r\n`
const opening = event({ candidates: [{ content: { parts: [{ text: 'Hi' }], role: 'model' }, index: 0 }] })
const retryInfo = (retryDelay: string) => ({ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay })

/** The pieces of a stream as they were written. `onPiece` is called after each. */
function piecesFor(runtime: Runtime, model: string, onPiece = () => {}): Promise<string[]> {
  const url = new URL(`${both.addresses[runtime]}beta/models/${model}:streamGenerateContent?alt=sse`)
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'x-goog-api-key': both.key }
    const asked = request(url, { method: 'POST', headers }, (response) => {
      const pieces: string[] = []
      response.on('data', (piece: Buffer) => {
        pieces.push(piece.toString())
        onPiece()
      })
      response.on('end', () => resolve(pieces)).on('error', reject)
    })
    asked.on('error', reject).end(JSON.stringify({ contents }))
  })
}

/** What the last two pieces tell: an event with an error, and that error alone. */
function toldBy(pieces: readonly string[]): unknown {
  const [told = '', apart = ''] = pieces.slice(-2)
  expect(told.trimStart()).toBe(`data: ${apart}`)
  return (JSON.parse(apart) as { error: unknown }).error
}

describe.each(runtimes)('On %s, a stream of content that breaks', (runtime) => {
  it.each([
    ['from a chat', 'up/m', stream([chunk({ content: 'Hel' })], 'reset')],
    ['of Gemini itself', 'google/gemini-x', stream([opening], 'reset')],
    ['that the runtime forwards', 'forwarded', stream([opening], 'reset')],
  ])('tells it in an event, and then by itself, %s', async (_, model, script) => {
    upstream.script(script)
    const error = toldBy(await piecesFor(runtime, model))
    expect(error).toMatchObject({ code: 502, status: 'UNAVAILABLE' })
  })

  it.each(['up/m', 'google/gemini-x'])('after it was opened early says how long to wait, from %s', async (model) => {
    let heard = () => {}
    const opened = new Promise<void>((resolve) => {
      heard = resolve
    })
    const limited: Script = async (...asked) => {
      await opened
      return json(429, { error: { message: 'Slow down' } }, { 'retry-after': '7' })(...asked)
    }
    upstream.script(limited)
    expect(toldBy(await piecesFor(runtime, model, heard))).toMatchObject({
      ...{ code: 429, status: 'RESOURCE_EXHAUSTED' },
      details: [retryInfo('7s')],
    })
  })

  it.each([
    [
      'up/m',
      [chunk({ content: 'Hel' }), 'data: {"error":{"message":"Slow down. Please try again in 20s.","code":429}}\n\n'],
    ],
    [
      'google/gemini-x',
      [opening, event({ error: { code: 429, message: 'Please retry in 19.1s.', status: 'RESOURCE_EXHAUSTED' } })],
    ],
  ])('at its limit says how long to wait if the upstream said it, from %s', async (model, pieces) => {
    upstream.script(stream(pieces))
    expect(toldBy(await piecesFor(runtime, model))).toMatchObject({ code: 429, details: [retryInfo('20s')] })
  })
})

describe('The error alone at the end of a stream of content', () => {
  const words = {
    told: (error: unknown) => ({ error }),
    broke: (error: unknown) => errorEnvelope(asGatewayError(error)),
    ...{ name: 'p', services: { random: Math.random, clock: new ManualClock() } },
  }

  function broken() {
    const clock = new ManualClock()
    const { pump } = pumpOf()
    const listener = new Listener(withStep(answerOf(pump), integrityStep(new ContentReader(), words, 'never')), clock)
    pump.push(bytes(opening))
    pump.break(new GatewayError('network', 'The connection broke.'))
    return { clock, listener }
  }

  it('comes when the client has had time to read the event', async () => {
    const { clock, listener } = broken()
    expect(listener.ear.heard).toEqual([opening, expect.stringMatching(/^data: \{"error":/)])
    await clock.advance(gapTime - 1)
    expect(listener.ear.heard).toHaveLength(2)
    await clock.advance(1)
    expect(listener.ear.heard.slice(2)).toEqual([expect.stringMatching(/^\{"error":/), '<end>'])
  })

  it('does not come to a client that has left meanwhile', async () => {
    const { clock, listener } = broken()
    listener.cancel('left')
    expect(clock.waiting).toBe(0)
    await clock.advance(gapTime)
    expect(listener.ear.heard).toHaveLength(2)
  })
})
