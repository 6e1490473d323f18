import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { configFile, launch, type Program } from '../support/program.ts'
import { slivers, uploadInSlivers } from '../support/slivers.ts'
import { chatAnswer, type FakeUpstream, fakeUpstream, json, type Script } from '../support/upstream.ts'
import { usually } from '../support/usually.ts'

// There is much to unpack, and little room for it.
vi.setConfig({ testTimeout: 180_000 })

/** An object for each of them would be too much. */
const slices = usually(600_000, 1_000_000)

/** 400 MB of blanks in 400 KB. */
const bomb = Buffer.concat(Array(40).fill(gzipSync(Buffer.alloc(10_000_000, ' '))))

/** Answers 200 with `head` and then blanks without end, as good as. */
const exploding =
  (head: string, type = 'application/json', status = 200): Script =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': type, 'content-encoding': 'gzip' })
    response.write(gzipSync(head))
    response.end(bomb)
  }

const chat = { model: 'lab/m', messages: [{ role: 'user', content: 'hi' }] }

describe('A gateway whose process has 64 MB of heap', () => {
  let upstream: FakeUpstream
  let gateway: Program
  let port: number
  let remove: () => Promise<void>

  beforeAll(async () => {
    upstream = await fakeUpstream()
    const providers = {
      lab: { type: 'openai-compatible', baseURL: `${upstream.url}/v1` },
      shelf: { type: 'ollama', baseURL: upstream.url },
    }
    const config = await configFile({ providers, missing: { not_pulled: 'pull' }, retries: 0 })
    remove = config.remove
    gateway = launch(['--config', config.path], { NODE_OPTIONS: '--max-old-space-size=64' })
    port = Number((await gateway.until(/listens on http:\S+:(\d+)/))[1])
  })
  afterAll(async () => {
    gateway.signal('SIGTERM')
    await gateway.ended
    await Promise.all([upstream.close(), remove()])
  })

  const ask = (body: object = chat) =>
    fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })

  const works = async () => {
    upstream.script(json(200, chatAnswer('still here')))
    expect(await (await ask()).text()).toContain('still here')
  }

  it.each([slices])('takes an upload of %i chunks of one byte', async () => {
    upstream.script(json(200, chatAnswer('taken')))
    const text = JSON.stringify(chat)
    const answer = await uploadInSlivers(port, { head: text.slice(0, -1), filler: slices, tail: '}' })
    expect(answer).toMatch(/^HTTP\/1.1 200 /)
    expect(upstream.seen.at(-1)?.body.length).toBe(text.length - 'lab/'.length + slices)
  })

  it.each([slices])('takes an answer of %i chunks of one byte', async () => {
    const blanks = slivers(' '.repeat(slices))
    upstream.script((_request, _response, socket) => {
      socket.write(
        'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n',
      )
      socket.write(blanks)
      socket.end(Buffer.concat([slivers(JSON.stringify(chatAnswer('taken'))), Buffer.from('0\r\n\r\n')]))
    })
    expect(await (await ask()).text()).toContain('"content":"taken"')
    await works()
  })

  it('reads no list of models that unpacks to 400 MB', async () => {
    upstream.script(exploding('{"object": "list", "data": [], "x": "'))
    const models = await fetch(`http://127.0.0.1:${port}/v1/models`)
    expect(await models.json()).toEqual({ object: 'list', data: [] })
    await works()
  })

  it('takes no line of 400 MB for the progress of a pull, and says why the model is not there', async () => {
    const missing = json(404, { error: 'model "x" not found, try pulling it first' })
    upstream.script(missing, exploding('{"status": "', 'application/x-ndjson'))
    const answer = await ask({ ...chat, model: 'shelf/x' })
    expect(answer.status).toBe(404)
    expect(await answer.text()).toMatch(/could not pull the model .*more than 8388608 bytes came/)
    await works()
  })

  it('reads the beginning of an error that unpacks to 400 MB', async () => {
    upstream.script(exploding('broken', 'text/plain', 500))
    const answer = await ask()
    expect(answer.status).toBe(502)
    expect(await answer.text()).toContain('lab failed: broken')
    await works()
  })

  it('gives up an answer that unpacks to 400 MB, whole or streamed', async () => {
    upstream.script(exploding('{"choices": ["'))
    expect([(await ask()).status, await (await ask({ ...chat, stream: true })).text()]).toEqual([
      502,
      expect.stringContaining('"error"'),
    ])
    await works()
    upstream.script(exploding('data: {"choices": ["', 'text/event-stream'))
    expect(await (await ask({ ...chat, stream: true })).text()).toContain('"error"')
    await works()
  })
})
