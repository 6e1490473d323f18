import { describe, expect, it } from 'vitest'
import { mayBeBilled } from '../../src/accounts/bill.ts'
import { GatewayError } from '../../src/wire/errors.ts'

describe('A failed exchange', () => {
  it.each(['timeout', 'upstream', 'protocol', 'gone', 'internal', 'network'] as const)(
    'that ended by %s may be billed all the same',
    (failure) => expect(mayBeBilled({ failure })).toBe(true),
  )

  it.each(['bad_request', 'rate_limit', 'quota', 'auth', 'not_found', 'overloaded', 'context_length'] as const)(
    'that was refused by %s is not',
    (failure) => expect(mayBeBilled({ failure })).toBe(false),
  )

  it('that never reached its upstream is not', () => {
    const cause = new TypeError('fetch failed', { cause: Object.assign(new Error('no'), { code: 'ECONNREFUSED' }) })
    const error = new GatewayError('network', 'The upstream could not be reached.', { cause })
    expect(mayBeBilled({ failure: 'network', error })).toBe(false)
    const reset = Object.assign(new Error('reset'), { code: 'ECONNRESET' })
    expect(mayBeBilled({ failure: 'network', error: new GatewayError('network', 'x', { cause: reset }) })).toBe(true)
  })
})
