import { failureWords } from './failure-words.ts'
import type { ErrorRule } from './provider.ts'
import { fieldsRefused } from './refused-parts.ts'
import type { Said } from './said.ts'

/** What a rule is chosen by, besides what was said. */
export interface RefusalContext {
  /** The provider's own rules, which come first. */
  readonly own: readonly ErrorRule[]
  /** Undefined for an error inside a success that names no status: it is read as a refused request. */
  readonly status: number | undefined
  /** The client's request as text. */
  readonly sent?: (() => string) | undefined
  /** All of it, as text or parsed. */
  readonly body?: unknown
}

/** The first rule that fits what an upstream said. */
export function fittingRule(said: Said, { own, status = 400, sent, body }: RefusalContext): ErrorRule | undefined {
  const words = [said.code, said.type].filter((word) => word !== undefined)
  const names = words.join(' ')
  const echoes = new Echoes(said.message, sent)
  let refused: ReadonlySet<string> | undefined
  const isRefused = (field: string) => {
    refused ??= new Set(fieldsRefused(said, (pattern) => echoes.outside(pattern)))
    return refused.has(field)
  }
  return [...own, ...(failureWords.value?.wordings ?? [])].find((rule) => {
    if (rule.status !== undefined && ![rule.status].flat().includes(status)) return false
    if (rule.body && !rule.body.test(typeof body === 'string' ? body : (JSON.stringify(body) ?? ''))) return false
    // A rejected key stays one, whatever words come with it; only a code can say otherwise.
    if (rule.code) return words.some((word) => rule.code?.includes(word))
    if (status === 401) return false
    if (rule.refuses) return rule.refuses.some(isRefused)
    if (!rule.match) return true
    if (rule.holds && !(sent && rule.holds.test(sent()))) return false
    return (names !== '' && rule.match.test(names)) || echoes.outside(rule.match).length > 0
  })
}

/** What patterns find in a message that the request didn't hold already. */
export function ownWords(message: string, sent?: () => string): (pattern: RegExp) => readonly RegExpExecArray[] {
  const echoes = new Echoes(message, sent)
  return (pattern) => echoes.outside(pattern)
}

/** Characters around a match that decide whose words they are. */
const around = 16

/**
 * Whether words in a message are the server's own. Some servers repeat the request that they refuse, and a prompt may
 * quote any error there is.
 */
class Echoes {
  readonly #message: string
  readonly #sent: (() => string) | undefined
  #plain: string | undefined

  constructor(message: string, sent: (() => string) | undefined) {
    this.#message = message
    this.#sent = sent
  }

  /** What `pattern` matches of the server’s own words. */
  outside(pattern: RegExp): readonly RegExpExecArray[] {
    if (this.#message.search(pattern) < 0) return []
    const everywhere = pattern.global ? pattern : new RegExp(pattern.source, `${pattern.flags}g`)
    const all = [...this.#message.matchAll(everywhere)]
    return this.#sent ? all.filter((match) => !this.#isEcho(match.index, match[0].length)) : all
  }

  #isEcho(start: number, length: number): boolean {
    const message = this.#message
    const end = start + length
    const inside = quotedAround(message, start, end)
    if (inside !== undefined && this.#wasSent(inside)) return true
    const before = message.slice(Math.max(0, start - around), start)
    const after = message.slice(end, end + around)
    const match = message.slice(start, end)
    // What is repeated may begin or end beside the match, behind words such as `Invalid message: `.
    const left = before.replace(/^.*(?:[:([] ?|["`])/s, '')
    const right = after.replace(/[")`\]].*$/s, '')
    const near = left.length + right.length >= around / 2 ? left + match + right : undefined
    // An agent's history may hold the very error that comes again: then the echo begins with the message.
    if (this.#wasSent(before + match + after) || (near && this.#wasSent(near)))
      return !this.#wasSent(message.slice(0, end + around))
    // The server's own words may follow it at once, or end where it begins.
    const isCut =
      left.length >= around / 2
        ? this.#wasSent(left + match)
        : introduction.test(message.slice(0, start - left.length)) && this.#wasSent(match + right)
    return isCut && !this.#wasSent(message.slice(0, end))
  }

  #wasSent(text: string): boolean {
    this.#plain ??= plain(this.#sent?.() ?? '')
    const wanted = plain(text).trim()
    return wanted !== '' && this.#plain.includes(wanted)
  }
}

/** The end of what servers say before they repeat a part of a request: `Blocked phrase in prompt: `. */
const introduction = /(?<!error )\b(?:prompt|phrase|messages?|content|input|text|query|parsing)\b\W{0,4}$/i

/** Without quotes, escapes and runs of blanks: servers repeat a text in other forms than JSON's. */
function plain(text: string): string {
  return text
    .replace(/\\+[nrt]/g, ' ')
    .replace(/[\\"'`]/g, '')
    .replace(/\s+/g, ' ')
}

/** The quoted text that a match lies in. Apostrophes are no quotes. */
function quotedAround(message: string, start: number, end: number): string | undefined {
  const text = message.replace(/(?<=\w)'(?=\w)/g, '’')
  for (const quote of ['"', '`', "'"]) {
    const open = start > 0 ? text.lastIndexOf(quote, start - 1) : -1
    const close = text.indexOf(quote, end)
    if (open >= 0 && close >= 0) return message.slice(open + 1, close)
  }
  return undefined
}
