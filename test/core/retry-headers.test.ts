import { describe, expect, it } from 'vitest'
import { retryHeaders } from '../../src/inference.ts'
import { type FailureKind, GatewayError } from '../../src/wire/errors.ts'

function told(kind: FailureKind, ...failures: FailureKind[]): string | undefined {
  const attempts = failures.map((failure) => ({ deployment: 'p/m', failure, ms: 1 }))
  return retryHeaders(new GatewayError(kind, 'x'), { attempts })['x-should-retry']
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
  ])('never: %s after %s', (kind, ...failures) => {
    expect(told(kind, ...failures)).toBe('false')
  })

  it.each<[FailureKind, ...FailureKind[]]>([
    ['overloaded', 'overloaded'],
    ['timeout', 'timeout'],
    ['rate_limit', 'rate_limit'],
    ['overloaded', 'not_found', 'overloaded'],
    ['timeout', 'auth', 'timeout'],
  ])('as it likes, since it may pass and was tried once: %s after %s', (kind, ...failures) => {
    expect(told(kind, ...failures)).toBeUndefined()
  })
})
