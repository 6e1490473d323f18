import { describe, expect, it } from 'vitest'
import { overdrawn, tooFast, tooManyAtOnce } from '../../src/accounts/refusals.ts'

const rate = (subject: string, kind: 'requests' | 'tokens') =>
  tooFast({ take: { subject, kind, limit: 1, need: 1 }, wait: 1, left: 0, all: [] }, 'key ci', {})

describe('A refusal tells operators which limit it was', () => {
  it.each([
    ['key:key_1', 'requests', 'key_rpm'],
    ['key:key_1 model:m', 'tokens', 'key_model_tpm'],
    ['key:key_1 user:ada', 'requests', 'user_rpm'],
    ['project:web', 'tokens', 'project_tpm'],
    ['project:web model:m', 'requests', 'project_model_rpm'],
    ['model:m', 'tokens', 'model_tpm'],
  ] as const)('of %s in %s a minute', (subject, kind, limit) => expect(rate(subject, kind).limit).toBe(limit))

  it.each(['key', 'project'])('of a %s', (kind) => {
    const whose = `${kind} my own`
    const meter = { subject: 'any', window: 0, limit: 1 }
    expect(tooManyAtOnce(meter, whose).limit).toBe(`${kind}_parallel`)
    expect(overdrawn({ whose, limit: 1, left: 0, need: 1, end: undefined }).limit).toBe(`${kind}_budget`)
  })
})
