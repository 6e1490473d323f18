import { type Random, toolCallId } from '../../wire/ids.ts'
import { type JsonObject, objectAt, stringAt } from '../../wire/json.ts'
import { bareForm, type CallForm, callForms } from './call-forms.ts'
import type { Offered, Written } from './call-texts.ts'
import { startOfMark } from './marks.ts'
import type { Told } from './thoughts.ts'

/** Characters by which a call must be told from a text that only begins like one. */
const enough = 512
/** The longest call, in characters, and how many of them may be none before no more are looked for. */
const longest = 4 * 1024 * 1024
const mostFailures = 32
/** How often a closing mark may turn out to be part of an argument. */
const mostMarks = 8

/** Qwen3-Coder often leaves out the mark before `<function=`, and not the one after it. */
const stray = '</tool_call>'

const opening = callForms.map(({ opens }) => opens)
const openings = new RegExp(opening.map((mark) => mark.replace(/[[\]|<>=]/g, '\\$&')).join('|'))

/** The functions that a request offers and allows; undefined if there are none. */
export function offeredIn({ tools, tool_choice: choice }: JsonObject): Offered | undefined {
  if (!Array.isArray(tools) || choice === 'none') return undefined
  const offered = new Map<string, JsonObject>()
  for (const tool of tools) {
    const described = objectAt(tool, 'function')
    const name = stringAt(described, 'name')
    if (name) offered.set(name, objectAt(described, 'parameters') ?? {})
  }
  return offered.size > 0 ? offered : undefined
}

/** A call that may have begun. */
interface Open {
  readonly form: CallForm
  /** What came after the opening mark. */
  readonly pieces: string[]
  size: number
  /** The end of it, which may hold the start of the closing mark. */
  tail: string
  marks: number
}

/**
 * Tells the tool calls in a text from the rest. A text goes out as soon as it can't be a call any more, and what looks
 * like a call and is none goes out as the text it is.
 */
export class CallReader {
  readonly #offered: Offered
  readonly #random: Random
  #open: Open | undefined
  /** The end of the text so far, which may be the start of a mark. */
  #held = ''
  /** White space that goes out only before more text: at the start, and after a call. */
  #blank: string | undefined = ''
  #begun = false
  /** Whether the last call may be followed by the end of a mark whose start its model left out. */
  #isLoose = false
  #calls = 0
  #failures = 0
  #told: Told[] = []

  constructor(offered: Offered, random: Random) {
    this.#offered = offered
    this.#random = random
  }

  add(text: string): Told[] {
    this.#read(this.#held + text)
    return this.#take()
  }

  /** What was held back, now that nothing follows. */
  end(): Told[] {
    while (this.#open) this.#finish(this.#open)
    this.#say(this.#held)
    this.#held = ''
    if (this.#blank && this.#calls === 0) this.#told.push({ content: this.#blank })
    this.#blank = ''
    return this.#take()
  }

  #take(): Told[] {
    const told = this.#told
    this.#told = []
    return told
  }

  #read(all: string): void {
    this.#held = ''
    for (let rest: string | undefined = all; rest !== undefined; ) {
      rest = this.#open ? this.#goOn(this.#open, rest) : this.#search(rest)
    }
  }

  /** Passes a text on up to where a call may begin; returns what is to be read next. */
  #search(text: string): string | undefined {
    if (this.#failures > mostFailures) {
      this.#say(text)
      return undefined
    }
    if (!this.#begun) {
      const bare = text.trimStart()
      if (bare === '') {
        this.#say(text)
        return undefined
      }
      this.#begun = true
      if (/^[{[]/.test(bare)) {
        this.#say(text.slice(0, text.length - bare.length))
        return this.#enter(bareForm, bare)
      }
    }
    if (this.#isLoose) {
      const next = text.trimStart()
      if (next.startsWith(stray)) {
        this.#isLoose = false
        return next.slice(stray.length)
      }
      if (stray.startsWith(next)) {
        this.#held = text
        return undefined
      }
      this.#isLoose = false
    }
    const found = openings.exec(text)
    if (found) {
      this.#say(text.slice(0, found.index))
      const form = callForms.find(({ opens }) => opens === found[0]) as CallForm
      return this.#enter(form, text.slice(found.index + found[0].length))
    }
    const kept = startOfMark(text, opening)
    this.#held = text.slice(text.length - kept)
    this.#say(text.slice(0, text.length - kept))
    return undefined
  }

  #enter(form: CallForm, rest: string): string {
    this.#open = { form, pieces: [], size: 0, tail: '', marks: 0 }
    return rest
  }

  /** Reads on in a call; returns what follows it, or what must be read again because it was none. */
  #goOn(open: Open, text: string): string | undefined {
    const { form, pieces } = open
    const { closes } = form
    const seen = open.tail + text
    const at = closes === undefined ? -1 : seen.indexOf(closes)
    const until = at < 0 ? text.length : at - open.tail.length + (closes?.length ?? 0)
    const isFresh = open.size < enough
    pieces.push(text.slice(0, until))
    open.size += until
    open.tail = closes === undefined ? '' : seen.slice(0, at < 0 ? seen.length : at).slice(1 - closes.length)
    const may = !isFresh || form.may(this.#inner(open, at >= 0).slice(0, enough), this.#offered)
    if (!may || open.size > longest) return this.#refuse(open, text.slice(until))
    if (at < 0) return undefined
    open.tail = ''
    const read = form.read(this.#inner(open, true), this.#offered)
    if (read === 'open' && ++open.marks < mostMarks) return text.slice(until)
    if (typeof read === 'string') return this.#refuse(open, text.slice(until))
    this.#call(read)
    this.#isLoose = form.mustClose === true
    return text.slice(until)
  }

  #inner({ pieces, form: { closes = '' } }: Open, isClosed: boolean): string {
    const all = pieces.length === 1 ? (pieces[0] ?? '') : pieces.join('')
    return isClosed ? all.slice(0, all.length - closes.length) : all
  }

  /** The end of the answer is the end of a call too: many models leave the last mark out. */
  #finish(open: Open): void {
    const { form } = open
    const inner = this.#inner(open, false)
    const whole = form.mustClose ? 'none' : form.read(inner, this.#offered)
    const isSplit = typeof whole === 'string' && !form.mustClose && form.opens !== ''
    const parts = isSplit
      ? inner.split(form.opens, mostFailures).map((part) => form.read(part, this.#offered))
      : [whole]
    if (parts.every((read) => typeof read !== 'string')) this.#call(parts.flat())
    else this.#read(this.#refuse(open, ''))
  }

  /** Takes back that it was a call: its opening mark is text, and the rest is read again. */
  #refuse({ form: { opens }, pieces }: Open, rest: string): string {
    this.#open = undefined
    this.#failures++
    this.#say(opens)
    return pieces.join('') + rest
  }

  #call(calls: readonly Written[]): void {
    this.#open = undefined
    this.#blank = ''
    this.#begun = true
    this.#told.push({
      calls: calls.map(({ name, arguments: text }) => ({
        index: this.#calls++,
        id: toolCallId(this.#random),
        type: 'function',
        function: { name, arguments: text },
      })),
    })
  }

  #say(text: string): void {
    if (text === '') return
    if (this.#blank !== undefined && text.trim() === '') {
      this.#blank += text
      return
    }
    const content = (this.#blank ?? '') + text
    this.#blank = undefined
    const last = this.#told.at(-1)
    if (last && 'content' in last) this.#told[this.#told.length - 1] = { content: last.content + content }
    else this.#told.push({ content })
  }
}
