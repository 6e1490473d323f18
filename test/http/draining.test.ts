import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import { drainOf } from '../../src/runtime/listening.ts'

const size = 20_000_000

describe('A gateway that is told to stop', () => {
  it('sends a large answer to its end, however slowly the client reads', async () => {
    let answered = () => {}
    const underWay = new Promise<void>((resolve) => {
      answered = resolve
    })
    const server = createServer((_, response) => {
      response.end(Buffer.alloc(size))
      answered()
    })
    const drain = drainOf(server, systemClock)
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
    client.pause()
    client.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n')
    await underWay
    const drained = drain(10_000)
    let received = 0
    client.on('data', (bytes) => {
      received += bytes.length
    })
    client.resume()
    await drained
    expect(received).toBeGreaterThan(size)
  })
})
