import { describe, expect, it } from 'vitest'
import { retryHeaders } from '../../src/http/retry-headers.ts'
import { type FailureKind, GatewayError } from '../../src/wire/errors.ts'

function told(failure: GatewayError, failures: readonly FailureKind[], retries?: number): string | undefined {
  const attempts = failures.map((kind) => ({ deployment: 'p/m', at: 0, failure: kind, ms: 1 }))
  return retryHeaders(failure, { attempts }, retries)['x-should-retry']
}

describe('A client hears whether to come again', () => {
  it.each<[FailureKind, ...FailureKind[]]>([
    ['quota', 'quota'],
    ['context_length', 'context_length'],
    ['incapable', 'incapable'],
    ['auth', 'auth'],
    ['loop'],
    ['overloaded', 'overloaded', 'overloaded'],
    ['network', 'network', 'upstream'],
    ['timeout', 'timeout', 'timeout'],
    ['timeout', 'timeout', 'not_found', 'overloaded'],
    ['overloaded', 'overloaded'],
    ['timeout', 'timeout'],
    ['rate_limit', 'rate_limit'],
    ['overloaded', 'not_found', 'overloaded'],
    ['timeout', 'auth', 'timeout'],
  ])('never: %s after %s', (kind, ...failures) => {
    expect(told(new GatewayError(kind, 'x'), failures)).toBe('false')
  })

  it('as it likes, where nothing was tried that may pass', () => {
    expect(told(new GatewayError('overloaded', 'x'), [])).toBeUndefined()
    expect(told(new GatewayError('not_found', 'x'), ['not_found'])).toBeUndefined()
  })

  it('as it likes, where it wants to retry by itself: that is left to it until two have failed', () => {
    const failure = new GatewayError('upstream', 'x')
    expect(told(failure, ['upstream'], 0)).toBeUndefined()
    expect(told(failure, ['upstream', 'upstream'], 0)).toBe('false')
    expect(told(failure, ['upstream'], 2)).toBe('false')
  })

  it('as it likes, after a provider that asks for longer than the gateway waits', () => {
    expect(told(new GatewayError('rate_limit', 'x', { retryAfterMs: 10_001 }), ['rate_limit'])).toBeUndefined()
    expect(told(new GatewayError('rate_limit', 'x', { retryAfterMs: 10_000 }), ['rate_limit'])).toBe('false')
  })
})
