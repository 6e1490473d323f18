import { describe, expect, it } from 'vitest'
import { withStep } from '../../src/core/answer.ts'
import type { Step } from '../../src/core/stream.ts'
import { EventReader } from '../../src/wire/sse.ts'
import { ManualClock } from '../support/gateway.ts'
import { answerOf, Listener, pumpOf } from '../support/sinks.ts'

const bytes = (text: string) => new TextEncoder().encode(text)

function watched(looks: number) {
  const clock = new ManualClock()
  const { pump } = pumpOf()
  let heard = false
  const step: Step = {
    watch: {
      see() {
        heard = true
      },
    },
    silence: {
      ms: 10_000,
      looks,
      heard() {
        const said = heard
        heard = false
        return said
      },
      onSilence: () => bytes('<quiet>'),
    },
    carried: 'watch',
  }
  const client = new Listener(withStep(answerOf(pump), step), clock)
  return { clock, pump, client, ear: client.ear }
}

describe('A stream that falls silent', () => {
  it('is noticed once a period, and not while it talks', async () => {
    const { clock, pump, ear } = watched(4)
    await clock.advance(9_000)
    pump.push(bytes('a'))
    await clock.advance(9_000)
    expect(ear.said).toBe('a')
    await clock.advance(4_000)
    expect(ear.said).toBe('a<quiet>')
    await clock.advance(20_000)
    expect(ear.said).toBe('a<quiet><quiet><quiet>')
  })

  it('is at no fault while its reader pauses', async () => {
    const { clock, client, ear } = watched(4)
    client.pause()
    await clock.advance(60_000)
    expect(ear.said).toBe('')
  })

  it('leaves no timer when it ends, breaks or is cancelled', () => {
    for (const end of ['finish', 'break', 'cancel'] as const) {
      const { clock, pump, client } = watched(1)
      if (end === 'finish') pump.finish()
      else if (end === 'break') pump.break(new Error('broken'))
      else client.cancel('enough')
      expect([end, clock.waiting]).toEqual([end, 0])
    }
  })
})

describe('An event that has no end', () => {
  it('is refused instead of being kept for ever', () => {
    const reader = new EventReader()
    const piece = new Uint8Array(1024 * 1024).fill(97)
    expect(() => {
      for (let n = 0; n < 40; n++) reader.read(piece)
    }).toThrow('an event that has no end')
  })
})
