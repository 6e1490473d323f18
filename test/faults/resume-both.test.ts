import { describe, expect, it } from 'vitest'
import { chat, expectBrokenOff, seeded } from '../support/ask.ts'
import { runtimes, startBoth } from '../support/both.ts'
import {
  answering,
  awkward,
  chunksOf,
  cutAt,
  finishStart,
  firstContentEnd,
  framesOf,
  readStream,
  ways,
} from '../support/continuing.ts'
import { duringTests } from '../support/during-tests.ts'
import { serveUpstreams } from '../support/gateway.ts'

const type = 'openai-compatible'
const wanting = { stream: true, stream_options: { include_usage: true } }
const text = awkward
const { broken, rest } = serveUpstreams({ broken: undefined, rest: answering({ text }) })

const both = duringTests(() => {
  const then = (model: string) => ({ deployments: ['broken/m', { model, weight: 0 }] })
  return startBoth('resume', {
    providers: {
      broken: { type, baseURL: broken.url },
      rest: { type, baseURL: rest.url, continues: 'llamacpp' },
      demo: { type: 'embedded' },
    },
    models: { fixed: then('rest/m'), demo: then('demo/tiny-chat') },
    resume: true,
    // Each break is to be met, not the cooldown after it.
    cooldown: false,
    streams: 'observed',
  })
})

describe.each(runtimes)('With `resume`, on %s, a stream', (runtime) => {
  it('that is cut at any byte is continued where it ends', async () => {
    const random = seeded(3)
    const whole = framesOf(chat('fixed', wanting), { text })
    const [start, end] = [firstContentEnd(whole), finishStart(whole)]
    const { usage: _, continued: __, ...expected } = readStream(whole)
    for (let i = 0; i < 15; i++) {
      const at = start + Math.floor(random() * (end - start))
      broken.script(cutAt(whole, at, ways[i % ways.length] ?? 'close'))
      const reply = await both.ask(runtime, chat('fixed', wanting))
      expect({ at, ...readStream(reply.text) }).toMatchObject({ at, ...expected, continued: ['rest/m'] })
    }
  })

  it('of the embedded model, cut at any byte, goes on as the model would have', async () => {
    const random = seeded(4)
    const asked = (model: string) => ({ ...chat(model, wanting), max_tokens: 40, temperature: 0 })
    const whole = (await both.ask(runtime, asked('demo/tiny-chat'))).text
    const [start, end] = [firstContentEnd(whole), finishStart(whole)]
    const { continued: _, usage, ...expected } = readStream(whole)
    const [{ prompt_tokens_details: __, ...counts }] = usage as [{ prompt_tokens_details?: object }]
    for (let i = 0; i < 5; i++) {
      const at = start + Math.floor(random() * (end - start))
      broken.script(cutAt(whole, at, 'close'))
      const reply = await both.ask(runtime, asked('demo'))
      expect({ at, ...readStream(reply.text) }).toMatchObject({ at, ...expected, continued: ['demo/tiny-chat'] })
      expect(readStream(reply.text).usage).toEqual([counts])
    }
  })

  it('tells that it tells no usage if whoever continues it tells none', async () => {
    const mute = (asked: object) => framesOf({ ...asked, stream_options: {} }, { text })
    broken.script(cutAt(mute(chat('fixed', wanting)), firstContentEnd(mute(chat('fixed', wanting))), 'close'))
    rest.script(({ body }, response) =>
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end(mute(JSON.parse(body))),
    )
    const reply = await both.ask(runtime, chat('fixed', wanting))
    rest.script(answering({ text }))
    expect(readStream(reply.text)).toMatchObject({ text, usage: [], continued: ['rest/m'] })
    expect(chunksOf(reply.text).at(-1)).toMatchObject({ choices: [], usage: null })
  })

  it('that nobody can continue ends with its error', async () => {
    const whole = framesOf(chat('fixed', wanting), { text })
    broken.script(cutAt(whole, firstContentEnd(whole), 'close'))
    expectBrokenOff(
      (await both.ask(runtime, chat('fixed', { ...wanting, response_format: { type: 'json_object' } }))).text,
    )
  })
})
