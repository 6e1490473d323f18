import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { configFile, launch } from '../support/program.ts'
import { closedOf, connectSocket } from '../support/socket-client.ts'
import { serveSocketUpstream } from '../support/socket-upstream.ts'

const upstream = serveSocketUpstream()
let config: Awaited<ReturnType<typeof configFile>>
beforeAll(async () => {
  config = await configFile({ providers: { up: { type: 'openai-compatible', baseURL: `${upstream.url}/v1` } } })
})
afterAll(() => config.remove())

describe.each([1, 2])('A gateway of %d process(es) that is told to stop', (workers) => {
  it('lets a session go on in the time of grace, and then ends both sides with 1001', async () => {
    const program = launch(['--workers', String(workers), '--config', config.path], { SAMEWIRE_GRACE: '1' })
    const [, port] = await program.until(/listens on http:\/\/127\.0\.0\.1:(\d+)\/v1[\s\S]*curl .*\n/)
    const client = await connectSocket(`http://127.0.0.1:${port}/v1/realtime?model=up/voice`)
    await client.next()
    const closed = closedOf(upstream.sockets.at(-1))
    program.signal('SIGTERM')
    client.ws.send('still there?')
    expect((await client.next()).text).toBe('still there?')
    expect((await client.closed).code).toBe(1001)
    expect((await closed).code).toBe(1001)
    expect(await program.ended).toBe(0)
  })
})
