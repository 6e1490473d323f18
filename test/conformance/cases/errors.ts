import { made } from '../../contract/subjects.ts'
import type { Ask } from '../cells.ts'
import type { Target } from '../targets.ts'

type Fields = Readonly<Record<string, unknown>>

/** How the body of a request may be wrong; a form has no such fields. */
export interface Mistakes {
  /** Fields that are wrong, and the one that the error names. */
  readonly invalid: Fields
  readonly param: string
  /** Fields that make the prompt too long. Absent: the route has no such limit. */
  readonly long?: Fields
}

/** What goes wrong on every route: the client's mistakes, a missing model, and an upstream that fails. */
export function errorAsks(target: Target, good: Ask, mistakes?: Mistakes): readonly Ask[] {
  const missing = refused(good, 'a missing model', 404, 'model_not_found')
  const own = [
    ...(mistakes ? mistakesOf(good, mistakes) : []),
    { ...missing, upstream: target.missing, model: 'no-such-model' },
  ]
  if (target.server === 'live') return own
  const tooLong = mistakes?.long ? [longPrompt(target, good, mistakes.long)] : []
  return target.server === 'embedded' ? [...own, ...tooLong] : [...own, ...tooLong, ...upstreamFailures(good)]
}

function refused({ check: _, type: __, ...good }: Ask, about: string, status: number, code?: string): Ask {
  return { ...good, about, refusal: { status, ...(code !== undefined && { code }) } }
}

function mistakesOf(good: Ask, { invalid, param }: Mistakes): readonly Ask[] {
  const wrong = refused(good, 'an invalid field', 400)
  return [
    { ...refused(good, 'a body that is no JSON', 400), body: '{' },
    { ...wrong, body: { ...(good.body as Fields), ...invalid }, refusal: { status: 400, param } },
  ]
}

function longPrompt({ overflow }: Target, good: Ask, long: Fields): Ask {
  const ask = refused(good, 'a prompt too long', 400, 'context_length_exceeded')
  return { ...ask, upstream: overflow, body: { ...(good.body as Fields), ...long } }
}

function upstreamFailures(good: Ask): readonly Ask[] {
  const limited = made(429, { error: { message: 'Rate limit reached', type: 'tokens', code: 'rate_limit_exceeded' } })
  const wrongKey = made(401, { error: { message: 'Incorrect API key provided', code: 'invalid_api_key' } })
  const wrong = refused(good, "the gateway's key being wrong", 502, 'upstream_credentials_rejected')
  return [
    { ...refused(good, 'a rate limit', 429, 'rate_limit_exceeded'), upstream: limited },
    { ...wrong, upstream: wrongKey },
    { ...refused(good, 'an upstream that is down', 503, 'capacity_exhausted'), upstream: made(503, 'down') },
  ]
}
