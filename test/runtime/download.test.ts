import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ForbiddenAddress } from '../../src/core/download.ts'
import { Abort } from '../../src/core/signal.ts'
import { nodeDownload } from '../../src/runtime/node-download.ts'
import { isPublicAddress } from '../../src/wire/hosts.ts'
import { type FakeUpstream, fakeUpstream, silence, text } from '../support/upstream.ts'

let server: FakeUpstream
beforeAll(async () => {
  server = await fakeUpstream(text(200, 'a picture'))
})
afterAll(() => server.close())

const anywhere = () => true
const take = () => true
const at = (host: string) => new URL(server.url.replace('127.0.0.1', host))

describe('A download on Node', () => {
  it('comes without credentials, from the address that the name resolves to', async () => {
    server.script(text(200, 'a picture'))
    const seen: string[] = []
    const mayConnect = (address: string) => {
      seen.push(address)
      return true
    }
    const { status, body } = await nodeDownload(at('localhost'), { signal: new Abort(), mayConnect, take })
    expect([status, new TextDecoder().decode(body)]).toEqual([200, 'a picture'])
    expect(seen).toContain('127.0.0.1')
    expect(Object.keys(server.seen.at(-1)?.headers ?? {}).sort()).toEqual([
      'accept',
      'accept-encoding',
      'connection',
      'host',
      'user-agent',
    ])
  })

  it.each(['localhost', '127.0.0.1', '[::1]'])('does not begin if %s leads to a private address', async (host) => {
    server.seen.length = 0
    const download = nodeDownload(at(host), { signal: new Abort(), mayConnect: isPublicAddress, take })
    await expect(download).rejects.toThrow(ForbiddenAddress)
    expect(server.seen).toEqual([])
  })

  it('stops when no more is wanted', async () => {
    server.script(text(200, 'x'.repeat(100_000)))
    let left = 10
    const download = nodeDownload(at('127.0.0.1'), {
      signal: new Abort(),
      mayConnect: anywhere,
      take(bytes) {
        left -= bytes
        return left >= 0
      },
    })
    await expect(download).rejects.toThrow('too large')
  })

  it('stops when it is aborted', async () => {
    server.script(silence)
    const signal = new Abort()
    const download = nodeDownload(at('127.0.0.1'), { signal, mayConnect: anywhere, take })
    const over = expect(download).rejects.toThrow('enough')
    signal.abort(new Error('enough'))
    await over
  })
})
