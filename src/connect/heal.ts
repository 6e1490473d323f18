import type { Remedy } from '../core/provider.ts'
import { ownWords } from '../core/recognise.ts'
import {
  fieldsExcluded,
  fieldsRefused,
  nameRecommended,
  refusesDeveloper,
  refusesInstructions,
  valuesRefused,
  wantsOneInstruction,
} from '../core/refused-parts.ts'
import { areSynonyms, otherName, valueAs } from '../core/synonyms.ts'
import { type FailureKind, GatewayError } from '../wire/errors.ts'
import type { JsonObject } from '../wire/json.ts'
import { effortRemedy } from './effort.ts'
import { withInstructions } from './instructions.ts'
import { isSpare } from './spare.ts'
import { thoughtsRemedy } from './thoughts.ts'

/** Chat templates refuse under 500, which is no kind of its own. */
const curable: ReadonlySet<FailureKind> = new Set(['bad_request', 'incapable', 'upstream'])
/** Without these there is no request, or another one. */
const essential: ReadonlySet<string> = new Set(['model', 'messages', 'prompt', 'input', 'stream'])

/** Said in other terms instead: see `Renewal`. */
const renewed: ReadonlySet<string> = new Set(['functions', 'function_call'])

/**
 * The remedy for a refused request, whatever the provider. Only what was sent can be the reason, and only what leaves
 * the meaning of the request as it is can be a remedy. `sent` may have to parse a large request, so words come first.
 */
export function generalRemedy(error: GatewayError, known: Remedy, sent: () => JsonObject, may: Leeway) {
  if (!curable.has(error.kind)) return undefined
  return (
    instructionsRemedy(error, sent) ??
    thoughtsRemedy(error, sent) ??
    exclusionRemedy(error, sent) ??
    fieldsRemedy(error, known, sent, may) ??
    effortRemedy(error, sent)
  )
}

/** What may be done about a refused field. */
export interface Leeway {
  /** Whether the configuration allows to leave out a field that changes the answer. */
  mayDrop(field: string): boolean
  /** Whether its other names are those of a chat too. */
  readonly inChatsNames: boolean
}

function instructionsRemedy({ message }: GatewayError, sent: () => JsonObject): Remedy | undefined {
  if (wantsOneInstruction(message) && withInstructions(sent().messages, 'joined')) return { instructions: 'joined' }
  if (refusesDeveloper(message) && withInstructions(sent().messages, 'system')) return { instructions: 'system' }
  if (refusesInstructions(message) && withInstructions(sent().messages, 'user')) return { instructions: 'user' }
  return undefined
}

/** Two names of one field, of which a client sent both. */
function exclusionRemedy({ message }: GatewayError, sent: () => JsonObject): Remedy | undefined {
  const [old, kept] = fieldsExcluded(message) ?? []
  if (old === undefined || kept === undefined || !areSynonyms(old, kept)) return undefined
  return isIn(sent(), old) && isIn(sent(), kept) ? { rename: { [old]: kept } } : undefined
}

function fieldsRemedy(
  error: GatewayError,
  known: Remedy,
  sent: () => JsonObject,
  { mayDrop, inChatsNames }: Leeway,
): Remedy | undefined {
  const named = fieldsRefused(error)
  if (named.length === 0) return undefined
  const body = sent()
  const refused = [...new Set(named)].filter((name) => isIn(body, name) && !essential.has(name))
  const rename = Object.fromEntries(
    refused.flatMap((name) => {
      const instead = nameIn(error, name) ?? (inChatsNames ? otherName(name) : undefined)
      // A name that was refused before is no way out, and neither is one that can't say the same.
      const isNoWay = instead === undefined || Object.hasOwn(known.rename ?? {}, instead)
      return isNoWay || valueAs(instead, body[name]) === undefined ? [] : [[name, instead]]
    }),
  )
  const rest = refused.filter((name) => !Object.hasOwn(rename, name))
  const spare = rest.filter((name) => isSpare(name, body[name]))
  const dropped = rest.filter((name) => !spare.includes(name) && !renewed.has(name) && mayDrop(name))
  const isAny = spare.length > 0 || dropped.length > 0 || Object.keys(rename).length > 0
  return isAny ? { rename, spare, refused: dropped } : undefined
}

/**
 * Whether a failure is about a name that only a remedy gave to a field, such as `random_seed` where the client sent
 * `seed`: then it tells the client less than the one before.
 */
export function blamesRemedy(error: GatewayError, { rename = {} }: Remedy, asked: JsonObject): boolean {
  const given = new Set(Object.values(rename).filter((name) => !Object.hasOwn(asked, name)))
  return given.size > 0 && fieldsRefused(error).some((name) => given.has(name))
}

/** Kinds of failure that a refused field has where nothing more is known of it. */
const vague: ReadonlySet<FailureKind> = new Set(['bad_request', 'upstream'])

/**
 * A failure for which there is no remedy, as one of the model where it is about a field that it was sent: another model
 * may take that field, or that value. A wrong value is told in other words, and stays the caller's fault.
 */
export function orIncapable(error: GatewayError, bodies: () => readonly JsonObject[], text?: () => string) {
  if (!vague.has(error.kind)) return error
  const words = ownWords(error.message, text)
  const named = [...fieldsRefused(error, words), ...valuesRefused(words)]
  if (named.length === 0) return error
  const given = bodies()
  const param = named.find((name) => given.some((body) => isIn(body, name)))
  return param === undefined ? error : new GatewayError('incapable', error.message, { param, cause: error })
}

/** JSON leaves out what is undefined. */
function isIn(body: JsonObject, name: string): boolean {
  return Object.hasOwn(body, name) && body[name] !== undefined
}

/** The name that an error recommends for a field. */
function nameIn({ message, code, param }: GatewayError, name: string): string | undefined {
  const recommended = nameRecommended(message)
  const isMeant =
    recommended && (areSynonyms(name, recommended) || (code === 'unsupported_parameter' && param === name))
  return isMeant ? recommended : undefined
}
