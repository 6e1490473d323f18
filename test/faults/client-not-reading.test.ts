import { connect, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ask, chat, noLists, until } from '../support/ask.ts'
import { ManualClock, type RunningGateway, startGateway } from '../support/gateway.ts'
import {
  chatAnswer,
  chatFrames,
  chunk,
  type FakeUpstream,
  fakeUpstream,
  json,
  type Script,
} from '../support/upstream.ts'

let upstream: FakeUpstream
let gateway: RunningGateway
let clock: ManualClock
let client: Socket
/** How much the upstream has written of an endless stream, and whether it is kept waiting. */
let written: number
let waits: boolean

beforeEach(async () => {
  upstream = await fakeUpstream()
  clock = new ManualClock()
  written = 0
  waits = false
})

afterEach(async () => {
  client.destroy()
  await gateway.close()
  await upstream.close()
})

async function start(more: object = {}): Promise<void> {
  const providers = { p: { type: 'openai-compatible', baseURL: upstream.url } }
  gateway = await startGateway({ providers, retries: 0, ...more }, { clock, services: noLists })
}

/** Says one word after the other, no faster than it is read, for ever. */
const endless: Script = (_request, response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.write(chatFrames('hi').slice(0, 2).join(''))
  const word = chunk({ content: 'x'.repeat(30_000) })
  const write = () => {
    waits = false
    if (response.destroyed) return
    written++
    if (response.write(word)) return void setImmediate(write)
    waits = true
    response.once('drain', write)
  }
  write()
}

/** Asks over a bare socket that reads nothing until it is told to. */
function askAndNotRead(body: object): void {
  const text = JSON.stringify(body)
  client = connect(gateway.port, '127.0.0.1', () => {
    client.write(
      `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${text.length}\r\n\r\n${text}`,
    )
  })
  client.on('error', () => {})
  client.pause()
}

/** Resolves once nothing has moved for many turns of the loop. */
async function stuck(): Promise<void> {
  for (let still = 0, before = -1; still < 300; before = written) {
    await new Promise((turn) => setImmediate(turn))
    still = waits && written === before ? still + 1 : 0
  }
}

describe('A client that reads nothing of its stream', () => {
  it('is let go after a minute, and its upstream with it', async () => {
    await start()
    upstream.script(endless)
    askAndNotRead(chat('p/m', { stream: true }))
    await stuck()
    await clock.advance(59_000)
    expect(client.destroyed).toBe(false)
    await clock.advance(2_000)
    await upstream.seen[0]?.abandoned
    await until(() => clock.waiting === 0)
    expect(gateway.logged).toEqual([])
    upstream.script(json(200, chatAnswer('next')))
    expect((await ask(gateway, chat('p/m'))).status).toBe(200)
  })

  it('is let go after the time that the configuration sets', async () => {
    await start({ writeTimeout: 5 })
    upstream.script(endless)
    askAndNotRead(chat('p/m', { stream: true }))
    await stuck()
    await clock.advance(6_000)
    await upstream.seen[0]?.abandoned
  })

  it('keeps it as long as it reads a little now and then', async () => {
    await start({ writeTimeout: 5 })
    upstream.script(endless)
    askAndNotRead(chat('p/m', { stream: true }))
    for (let round = 0; round < 4; round++) {
      await stuck()
      await clock.advance(4_000)
      const before = written
      client.resume()
      await until(() => written > before + 20)
      client.pause()
    }
    expect(client.destroyed).toBe(false)
    await stuck()
    await clock.advance(6_000)
    await upstream.seen[0]?.abandoned
  })
})

describe('A client that reads nothing of a whole answer', () => {
  it('is let go after a minute', async () => {
    await start()
    upstream.script(json(200, chatAnswer('x'.repeat(20_000_000))))
    askAndNotRead(chat('p/m'))
    await until(() => clock.waiting === 1 && upstream.seen.length === 1)
    const closed = new Promise<void>((resolve) => client.once('close', () => resolve()))
    await stillFor(300)
    await clock.advance(61_000)
    await clock.advance(61_000)
    client.resume()
    await closed
    expect(client.bytesRead).toBeLessThan(20_000_000)
    await until(() => clock.waiting === 0)
  })
})

async function stillFor(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise((next) => setImmediate(next))
}
