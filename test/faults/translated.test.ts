import { describe, expect, it } from 'vitest'
import { ask, chat, contentOf, errorOf, expectBrokenOff, hastyClock, noLists, wordsOf } from '../support/ask.ts'
import { duringTests } from '../support/during-tests.ts'
import { serveUpstreams, startGateway } from '../support/gateway.ts'
import { chatAnswer, chatFrames, json, type Script, stream } from '../support/upstream.ts'

const { upstream, spare } = serveUpstreams({ upstream: undefined, spare: undefined })
const gateway = duringTests(() =>
  startGateway(
    {
      providers: {
        tgi: { type: 'huggingface', endpointUrl: upstream.url, engine: 'tgi', apiKey: 'env:HF' },
        spare: { type: 'openai-compatible', baseURL: spare.url },
      },
      models: { safe: { deployments: ['tgi/m'], fallbacks: ['spare/m'] } },
      retries: 0,
    },
    { services: noLists, clock: hastyClock(), env: { HF: 'hf_x' } },
  ),
)

const frames = chatFrames('good', ' day')
const begun = frames.slice(0, 3)

const openings: readonly [string, Script, 'whole' | 'stream'][] = [
  ['no JSON in its first event', stream(['data: {"cut\n\n']), 'stream'],
  ['an error in its first event', stream(['data: {"error":"Out of memory","error_type":"generation"}\n\n']), 'stream'],
  ['nothing', stream([]), 'stream'],
  ['a list in its first event', stream(['data: []\n\n']), 'stream'],
  ['choices that are none', json(200, { choices: [null, 5] }), 'whole'],
  ['no choices', json(200, {}), 'whole'],
  ['no JSON', json(200, '{"cut'), 'whole'],
  ['an error', json(200, { error: 'Out of memory' }), 'whole'],
]

describe('An upstream that is translated and answers with', () => {
  it.each(openings.filter(([name]) => name !== 'choices that are none'))(
    '%s has failed like any other',
    async (_what, script, way) => {
      upstream.script(script)
      const body = chat('tgi/m', { stream: way === 'stream' })
      const reply = await ask(gateway, body)
      expect(reply.status).toBe(502)
      expect(errorOf(reply).type).toBe('server_error')
      spare.script(way === 'stream' ? stream(frames) : json(200, chatAnswer('good day')))
      const safe = await ask(gateway, { ...body, model: 'safe' })
      expect(way === 'stream' ? wordsOf(safe.text) : contentOf(safe.text)).toBe('good day')
    },
  )

  it.each<[string, Script]>([
    ['no JSON after its first words', stream([...begun, 'data: {"cut\n\n', ...frames.slice(3)])],
    ['a reset', stream(begun, 'reset')],
    ['an end without a finish', stream(begun)],
    [
      'an error after its first words',
      stream([...begun, 'data: {"error":"Out of memory","error_type":"generation"}\n\n']),
    ],
  ])('%s ends with an error event', async (_what, script) => {
    upstream.script(script)
    const { text } = await ask(gateway, chat('tgi/m', { stream: true }))
    expect(expectBrokenOff(text).code).not.toBe('internal_error')
    expect(wordsOf(text).startsWith('good day')).toBe(true)
  })

  it('anything leaves nothing in the log that only the upstream and the client should know', () => {
    expect(gateway.logged.join('\n')).not.toMatch(/Out of memory|cut|SyntaxError/)
  })
})
