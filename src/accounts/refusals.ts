import type { Meter } from '../state/meters.ts'
import { GatewayError, shorten } from '../wire/errors.ts'
import { goDuration } from './duration.ts'
import type { Take, TooFast } from './rates.ts'

const units = {
  requests: 'requests per min (RPM)',
  tokens: 'tokens per min (TPM)',
} as const

/** In the words of OpenAI's, from which some clients read how long to wait. */
export function tooFast({ take, wait, left }: TooFast, whose: string, headers: Record<string, string>): GatewayError {
  const { kind, limit, need } = take
  const message =
    `Rate limit reached for ${whose} on ${units[kind]}: Limit ${limit}, Used ${limit - left}, ` +
    `Requested ${Math.min(need, limit)}. Please try again in ${goDuration(wait)}.`
  return new GatewayError('rate_limit', message, { type: kind, retryAfterMs: wait, limit: limitOf(take), headers })
}

/** `key_rpm`, `model_tpm`, `project_model_rpm`, `user_rpm`: without any name, since that may be whatever a client says. */
function limitOf({ subject, kind }: Take): string {
  const within = / (model|user):/.exec(subject)?.[1]
  const whose = within === 'user' ? within : [kindIn(subject), within].filter(Boolean).join('_')
  return `${whose}_${kind === 'requests' ? 'rpm' : 'tpm'}`
}

/** The first word of whoever has a limit: `key ci`, `project:web model:m`. */
const kindIn = (whose: string) => /^\w+/.exec(whose)?.[0] ?? 'key'

/** Milliseconds after which another try of a request among too many at once makes sense. */
const shortly = 1_000

export function tooManyAtOnce(meter: Meter, whose: string): GatewayError {
  const message = `Rate limit reached for ${whose} on requests at once: Limit ${meter.limit}. Please try again in 1s.`
  const limit = `${kindIn(whose)}_parallel`
  return new GatewayError('rate_limit', message, { type: 'requests', retryAfterMs: shortly, limit })
}

export interface Overdrawn {
  /** Whose budget it is: `key ci`. */
  readonly whose: string
  /** In nano-dollars. */
  readonly limit: number
  readonly left: number
  readonly need: number
  /** When its window ends; undefined: never. */
  readonly end: number | undefined
}

/** A wait cures it at the end of the window only, which the message tells: no client waits that long by itself. */
export function overdrawn({ whose, limit, left, need, end }: Overdrawn): GatewayError {
  const message =
    `You exceeded your current quota: of the budget of ${whose}, ${dollars(limit)}, ${dollars(left)} are left, and this ` +
    `request may cost ${dollars(need)}.${anew(end)}`
  return new GatewayError('quota', message, exceeded(whose))
}

const exceeded = (whose: string) =>
  ({ again: false, reason: 'budget_exceeded', limit: `${kindIn(whose)}_budget` }) as const

const anew = (end: number | undefined) =>
  end === undefined ? '' : ` It starts anew at ${new Date(end).toISOString()}.`

/** `need`: how much more it was than what was set aside at first. */
export function overdrawnMeanwhile({ whose, need, end }: Pick<Overdrawn, 'whose' | 'need' | 'end'>): GatewayError {
  const message = `You exceeded your current quota: another attempt at this request may cost ${dollars(need)} more, and the budget of ${whose} has less than that left.${anew(end)}`
  return new GatewayError('quota', message, exceeded(whose))
}

/** Nano-dollars in words, to the last digit that says something. */
export function dollars(nano: number): string {
  const text = (nano / 1e9).toFixed(9).replace(/0+$/, '')
  const [whole = '0', rest = ''] = text.split('.')
  return `$${whole}.${rest.padEnd(2, '0')}`
}

export function unboundedFor(whose: string, what: string, param: string | null): GatewayError {
  const message =
    `${whose} has a budget, and nobody can tell beforehand what ${what} may cost. Leave it out, or have the key ` +
    'allowed what has no bound (`allow_unbounded`).'
  return new GatewayError('bad_request', message, { param, code: 'unbounded_cost' })
}

/** `service`: the tier of which the price isn't known, while that of the model may be. */
export function unpriced(whose: string, model: string | undefined, service?: string): GatewayError {
  const name = model === undefined ? 'this model' : `\`${shorten(model)}\``
  const setting = service === undefined ? 'price' : 'price.serviceTiers'
  const message = `${whose} has a budget, and the price of ${name}${inTier(service)} isn't known. Whoever runs this gateway can set \`${setting}\`.`
  const param = service === undefined ? 'model' : 'service_tier'
  return new GatewayError('forbidden', message, { code: 'model_unpriced', param, reason: 'model_unpriced' })
}

export function inTier(service: string | undefined): string {
  return service === undefined ? '' : ` in the service tier \`${shorten(service)}\``
}

export function noStore(cause: unknown): GatewayError {
  const message =
    "The limits of this key can't be looked up now: the store of this gateway doesn't answer. Please try again later."
  return new GatewayError('overloaded', message, { cause, retryAfterMs: shortly, reason: 'state_unavailable' })
}
