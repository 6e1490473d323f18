import { describe, expect, it } from 'vitest'
import openai from '../../providers/openai.ts'
import openrouter from '../../providers/openrouter.ts'
import { isStream } from '../../src/core/answer.ts'
import type { ProviderDefinition } from '../../src/core/provider.ts'
import { integrity } from '../../src/layers/integrity.ts'
import { ManualClock } from '../support/gateway.ts'
import { answerOf, callOf, fakeProvider, pumpOf, someLimits, targetOf } from '../support/sinks.ts'

type Streams = 'observed' | 'checked' | 'untouched' | undefined

/** Whether a runtime may carry a stream by itself, where `streams` says nothing or this. */
async function carriedAt(definition: ProviderDefinition, baseURL: string, streams?: Streams) {
  const provider = fakeProvider('p', { definition, settings: { baseURL, headers: {}, options: {} } })
  const target = targetOf(provider, 'm', { limits: { ...someLimits, streams } })
  const layer = integrity({ log: () => {}, clock: new ManualClock(), random: () => 0 })
  const answer = layer(async () => answerOf(pumpOf().pump))(callOf({ stream: true, targets: [target] }))
  const { body } = await answer
  return isStream(body) ? body.steps[0]?.carried : undefined
}

describe('A stream of which nothing is configured is looked at', () => {
  it.each(['https://api.openai.com/v1', 'https://my-resource.openai.azure.com'])(
    'from behind where it is OpenAI’s own: %s',
    async (baseURL) => expect(await carriedAt(openai, baseURL)).toBe('watch'),
  )

  it.each([
    [openai, 'http://127.0.0.1:8000/v1'],
    [openai, 'https://api.openai.com.evil.example/v1'],
    [openai, 'https://proxy.example/api.openai.com/v1'],
    [openrouter, 'https://openrouter.ai/api/v1'],
  ] as const)('before it goes out where it isn’t: %#', async (definition, baseURL) => {
    expect(await carriedAt(definition, baseURL)).toBe('never')
  })

  it('as it is configured, wherever it comes from', async () => {
    for (const [definition, baseURL] of [
      [openai, 'https://api.openai.com/v1'],
      [openrouter, 'https://openrouter.ai/api/v1'],
    ] as const) {
      expect(await carriedAt(definition, baseURL, 'checked')).toBe('never')
      expect(await carriedAt(definition, baseURL, 'observed')).toBe('watch')
      expect(await carriedAt(definition, baseURL, 'untouched')).toBe('skip')
    }
  })
})
