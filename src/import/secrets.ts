import { isObject } from '../wire/json.ts'

/** Names of fields that hold secrets. `max_tokens` and `eos_token_id` are none. */
const secretName =
  /(^|[_-])(api[_-]?key|key|secret|password|passwd|passphrase|credentials?|auth|authorization|cookie|private|token|bearer|jwt|pat)$|authorization|secret|password|api[_-]?key|access[_-]?key|private[_-]?key|credential|(access|auth|session|refresh|security)[_-]?token/i

const notSecret = /^(prompt_cache_key|(eos|bos|pad|unk)_token)$/i

export function isSecretName(name: string): boolean {
  return secretName.test(name) && !notSecret.test(name)
}

/** The forms of known keys, and long random texts. */
const secretForms = [
  /\b(sk|pk|rk|gsk|hf|xai|r8|nvapi|pplx|ghp|gho|ghs|glpat|fw|csk|tgp|key|pat)[-_][\w-]{6,}/i,
  /\b(AIza|AKIA|ASIA|github_pat_|xox[abprs]-|eyJ)[\w-]{8,}/,
  /-----BEGIN/,
  /\bBearer\s+\S/i,
  /:\/\/[^/\s]*:[^/\s]*@/,
]
const random = /^(?=.*\d)(?=.*[a-z])[\w+=]{32,}$/i

/** Whether a name, such as a model's, is a key that was put in its place. */
export function looksLikeKey(name: string): boolean {
  return /\b(sk|pk|gsk|xai|nvapi|ghp|glpat|csk)[-_][\w-]{16,}|\bhf_\w{16,}|\b(AIza|AKIA|eyJ)[\w-]{12,}|-----BEGIN|Bearer\s/.test(
    name,
  )
}

/** Whether a value may be a secret. Errs on the safe side. */
export function looksSecret(text: string): boolean {
  return secretForms.some((form) => form.test(text)) || random.test(text.trim())
}

/** Whether a value that is to be copied holds what may be a secret. */
export function secretWithin(value: unknown): boolean {
  if (typeof value === 'string') return looksSecret(value)
  if (Array.isArray(value)) return value.some(secretWithin)
  if (!isObject(value)) return false
  return Object.entries(value).some(
    ([key, part]) => ((isSecretName(key) || looksSecret(key)) && typeof part !== 'boolean') || secretWithin(part),
  )
}

/** What stands for a key where a server asks for none. */
const placeholder =
  /^(none|null|nil|empty|dummy|fake|test|any|anything|unused|ignored|na|n\/a|no[-_]?key|not[-_]?(needed|required|used|set)|sk-(1234|x+|none|test|dummy|fake|no-?key.*|not-?needed)|x+|\*+|\.+|placeholder|change-?me|(fake|dummy|test|no|any)[-_ ]?(api[-_ ]?)?key|lm[-_]?studio|ollama|vllm|local|token[-_]abc123|.{0,2})$/i

export function isPlaceholder(key: string): boolean {
  return placeholder.test(key.trim())
}

/** A secret as the source has it. */
export type Key =
  /** The variable that holds it. */
  | { readonly variable: string }
  /** Written out. Never leaves this program. */
  | { readonly literal: string }

/** The variable that a text names, in the ways of other gateways and of templates. */
export function variableIn(text: string): string | undefined {
  return /^\s*(?:os\.environ\/|env[./:]|\$\{\{?\s*(?:env\.)?|\$)([A-Za-z_]\w*)\s*(?:\}\}?)?\s*$/.exec(text)?.[1]
}

export function keyOf(text: string): Key {
  const variable = variableIn(text)
  return variable === undefined ? { literal: text } : { variable }
}

/** An address without user, query and fragment, which may hold keys; undefined if it is none. */
export function plainAddress(text: string): { readonly url: string; readonly stripped: boolean } | undefined {
  const whole = /^[a-z][a-z\d+.-]*:\/\//i.test(text) ? text : `http://${text}`
  if (/[\s<>{}$]/.test(text) || !URL.canParse(whole)) return undefined
  const parsed = new URL(whole)
  if (!/^https?:$/.test(parsed.protocol) || parsed.pathname.split('/').some(looksLikeKey)) return undefined
  const stripped = Boolean(parsed.username || parsed.password || parsed.search || parsed.hash)
  const { protocol, host, pathname } = parsed
  return { url: `${protocol}//${host}${pathname}`.replace(/\/+$/, ''), stripped }
}
