import { made } from '../../contract/subjects.ts'
import type { Ask } from '../cells.ts'
import type { Target } from '../targets.ts'

type Fields = Readonly<Record<string, unknown>>

export interface Mistakes {
  /** Fields that are wrong, and the one that the error names. */
  readonly invalid: Fields
  readonly param: string
  /** Fields that make the prompt too long. Absent: the route has no such limit. */
  readonly long?: Fields
}

/** What goes wrong on every route: the client's mistakes, a missing model, and an upstream that fails. */
export function errorAsks(target: Target, good: Ask, { invalid, param, long }: Mistakes): readonly Ask[] {
  const body = good.body as Fields
  const { check: _, ...bare } = good
  const refused = (about: string, status: number, code: string | undefined, more: Partial<Ask> = {}): Ask => ({
    ...bare,
    about,
    refusal: { status, ...(code !== undefined && { code }) },
    ...more,
  })
  const own = [
    refused('a body that is no JSON', 400, undefined, { body: '{' }),
    {
      ...refused('an invalid field', 400, undefined, { body: { ...body, ...invalid } }),
      refusal: { status: 400, param },
    },
    refused('a missing model', 404, 'model_not_found', { upstream: target.missing, model: 'no-such-model' }),
  ]
  if (target.server === 'live') return own
  const tooLong = long
    ? [
        refused('a prompt too long', 400, 'context_length_exceeded', {
          upstream: target.overflow,
          body: { ...body, ...long },
        }),
      ]
    : []
  return target.server === 'embedded' ? [...own, ...tooLong] : [...own, ...tooLong, ...upstreamFailures(refused)]
}

function upstreamFailures(refused: (about: string, status: number, code: string, more: Partial<Ask>) => Ask) {
  const limited = made(429, { error: { message: 'Rate limit reached', type: 'tokens', code: 'rate_limit_exceeded' } })
  const wrongKey = made(401, { error: { message: 'Incorrect API key provided', code: 'invalid_api_key' } })
  return [
    refused('a rate limit', 429, 'rate_limit_exceeded', { upstream: limited }),
    refused("the gateway's key being wrong", 502, 'upstream_credentials_rejected', { upstream: wrongKey }),
    refused('an upstream that is down', 503, 'capacity_exhausted', { upstream: made(503, 'down') }),
  ]
}
