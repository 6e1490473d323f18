import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask, chat, contentOf, errorOf, hastyClock, noLists, wordsOf } from '../support/ask.ts'
import { type RunningGateway, startGateway } from '../support/gateway.ts'
import { chatAnswer, chatFrames, type FakeUpstream, fakeUpstream, json, stream } from '../support/upstream.ts'
import { faults } from './faults.ts'

describe('A fault before the first content', () => {
  let failing: FakeUpstream
  let healthy: FakeUpstream
  let gateway: RunningGateway

  beforeAll(async () => {
    failing = await fakeUpstream()
    healthy = await fakeUpstream()
    const type = 'openai-compatible'
    gateway = await startGateway(
      {
        providers: { bad: { type, baseURL: failing.url }, good: { type, baseURL: healthy.url } },
        models: { safe: { deployments: ['bad/m'], fallbacks: ['good/m'] } },
        // Each fault is to be met, not the cooldown after it.
        cooldown: false,
      },
      { clock: hastyClock(), random: () => 0.5, services: noLists },
    )
  })

  afterAll(async () => {
    await gateway.close()
    await failing.close()
    await healthy.close()
  })

  const cases = faults.flatMap((fault) =>
    (['whole', 'stream'] as const).filter((way) => (fault.only ?? way) === way).map((way) => ({ ...fault, way })),
  )

  it.each(cases)(
    'is told to the client in the envelope: $name ($way)',
    async ({ script, status, code, tries, way }) => {
      failing.script(script)
      failing.seen.length = 0
      const reply = await ask(gateway, chat('bad/m', { stream: way === 'stream' }))
      const error = errorOf(reply)
      expect({ status: reply.status, code: error.code }).toEqual({ status, code })
      expect(failing.seen).toHaveLength(tries)
      expect(reply.headers.get('x-samewire-attempts')).toBe(String(tries))
      expect(reply.headers.get('x-samewire-model')).toBeNull()
      if (tries > 1) expect(reply.headers.get('x-should-retry')).toBe('false')
    },
  )

  it.each(cases.filter(({ final }) => !final))(
    'is not noticed with a healthy fallback: $name ($way)',
    async ({ script, tries, way }) => {
      failing.script(script)
      healthy.script(way === 'stream' ? stream(chatFrames('good', ' day')) : json(200, chatAnswer('good day')))
      const reply = await ask(gateway, chat('safe', { stream: way === 'stream' }))
      expect(reply.status).toBe(200)
      expect(way === 'stream' ? wordsOf(reply.text) : contentOf(reply.text)).toBe('good day')
      expect(reply.headers.get('x-samewire-model')).toBe('good/m')
      expect(reply.headers.get('x-samewire-attempts')).toBe(String(tries + 1))
      expect(reply.headers.get('x-samewire-reason')).toMatch(/^[a-z_]+$/)
    },
  )

  it.each(cases.filter(({ final }) => final))('asks no other model: $name ($way)', async ({ script, status, way }) => {
    failing.script(script)
    healthy.seen.length = 0
    const reply = await ask(gateway, chat('safe', { stream: way === 'stream' }))
    expect(reply.status).toBe(status)
    expect(healthy.seen).toEqual([])
  })

  it('is not noticed when nobody listens at all', async () => {
    const gone = await fakeUpstream()
    await gone.close()
    const type = 'openai-compatible'
    const config = {
      providers: { gone: { type, baseURL: gone.url }, good: { type, baseURL: healthy.url } },
      models: { safe: { deployments: ['gone/m'], fallbacks: ['good/m'] } },
    }
    const other = await startGateway(config, { clock: hastyClock(), services: noLists })
    healthy.script(json(200, chatAnswer('good day')))
    const [alone, safe] = [await ask(other, chat('gone/m')), await ask(other, chat('safe'))]
    expect([alone.status, errorOf(alone).code]).toEqual([502, 'upstream_unreachable'])
    expect(contentOf(safe.text)).toBe('good day')
    await other.close()
  })
})
