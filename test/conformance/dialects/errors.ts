import { made } from '../../contract/subjects.ts'
import type { Target } from '../targets.ts'
import type { Conversation, DialectAsk, Question } from './dialect.ts'

interface Mistakes {
  /** Fields that are wrong in type. */
  readonly invalid?: Readonly<Record<string, unknown>>
  /** The fields without which a request is none. */
  readonly required: readonly string[]
}

/** What a client may do wrong on a route to which something is posted. `missing`: with a model that isn't there. */
export function mistakes(
  good: DialectAsk,
  missing: DialectAsk,
  { invalid, required }: Mistakes,
): readonly DialectAsk[] {
  const body = good.body as Readonly<Record<string, unknown>>
  return [
    { ...refused(good, 'a body that is no JSON', 400), body: '{' },
    ...(invalid ? [{ ...refused(good, 'a field of the wrong type', 400), body: { ...body, ...invalid } }] : []),
    ...required.map((name) => without(name, refused(good, `no ${name}`, 400))),
    missing,
    keyless(good),
  ]
}

function without(name: string, ask: DialectAsk): DialectAsk {
  if (name === 'model') return { ...ask, modelless: true }
  const { [name]: _, ...body } = ask.body as Readonly<Record<string, unknown>>
  return { ...ask, body }
}

/** A model that the upstream says is missing. */
export function missing(target: Target, good: DialectAsk): DialectAsk {
  return { ...refused(good, 'a missing model', 404), upstream: target.missing, model: 'no-such-model' }
}

/** A model that the gateway knows to be missing. */
export function unknown(good: DialectAsk): DialectAsk {
  const ask = refused(good, 'an unknown model', 404)
  if (ask.path.includes('{model}')) return { ...ask, path: ask.path.replace('{model}', 'no-such-model') }
  return { ...ask, body: { ...(ask.body as Readonly<Record<string, unknown>>), model: 'no-such-model' } }
}

export function keyless(good: DialectAsk): DialectAsk {
  return { ...refused(good, 'no key', 401), keyless: true }
}

export function refused({ check: _, type: __, ...good }: DialectAsk, about: string, status: number): DialectAsk {
  return { ...good, about, refusal: { status } }
}

const rateLimit = made(429, { error: { message: 'Rate limit reached', type: 'tokens', code: 'rate_limit_exceeded' } })
const wrongKey = made(401, { error: { message: 'Incorrect API key provided', code: 'invalid_api_key' } })

/** The errors of a route that asks a model for an answer: the client's, and the upstream's. */
export function answerErrors(api: Conversation, target: Target, question: Question): readonly DialectAsk[] {
  const { statuses, wrong, required, tooLong } = api
  const good = { about: '', upstream: 'chat', path: api.path(false), body: api.body(question, false) ?? {} }
  const long = api.body({ text: 'hello world '.repeat(4_000) }, false) ?? {}
  const overflow = {
    ...refused(good, 'a prompt too long', 400),
    upstream: target.overflow,
    body: long,
    refusal: { status: 400, ...(tooLong && { says: tooLong }) },
  }
  const own = [...mistakes(good, missing(target, good), { invalid: wrong, required }), unknown(good)]
  if (target.server === 'live') return own
  if (target.server === 'embedded') return [...own, overflow]
  return [
    ...own,
    overflow,
    { ...refused(good, 'a rate limit', statuses.rateLimit), upstream: rateLimit },
    { ...refused(good, "the gateway's key being wrong", statuses.wrongKey), upstream: wrongKey },
    { ...refused(good, 'an upstream that is down', statuses.down), upstream: made(503, 'down') },
    { ...refused(streamed(api, question), 'a stream that never began', statuses.down), upstream: made(503, 'down') },
  ]
}

function streamed(api: Conversation, question: Question): DialectAsk {
  return { about: '', upstream: 'chat', path: api.path(true), body: api.body(question, true) ?? {} }
}
