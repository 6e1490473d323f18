/** A part of an answer, in the order in which it was generated. */
export type Piece =
  | { readonly kind: 'content'; readonly text: string }
  | { readonly kind: 'reasoning'; readonly text: string }
  | { readonly kind: 'call'; readonly index: number; readonly name: string }
  | { readonly kind: 'arguments'; readonly index: number; readonly text: string }

const THINK = '<think>'
const THINK_END = '</think>'
const CALL = '<tool_call>'
const CALL_END = '</tool_call>'
const CALL_HEAD = /^\s*\{\s*"name"\s*:\s*("(?:[^"\\]|\\.)*")\s*,\s*"arguments"\s*:\s*/

/** `thought` and `gap` are the white space before reasoning and before content. */
type Mode = 'start' | 'thought' | 'reasoning' | 'gap' | 'content' | 'call'

/**
 * Splits generated text, as it arrives, into content, reasoning and tool calls, and cuts it at a stop string. It holds
 * back only text that may become a tag or a stop string. White space around reasoning and calls belongs to the tags and
 * is removed; the line end before `</think>` stays, as in llama-server.
 */
export class OutputParser {
  /** A stop string was found; further text is ignored. */
  stopped = false
  /** Number of calls started so far. */
  calls = 0
  #mode: Mode
  #buffer = ''
  #arguments: JsonEnd | undefined
  readonly #tools: boolean
  readonly #stop: StopFilter

  /** Without `thinking` or `tools` their tags are ordinary content. */
  constructor(options: { thinking: boolean; tools: boolean; stop: readonly string[] }) {
    this.#mode = options.thinking ? 'start' : 'content'
    this.#tools = options.tools
    this.#stop = new StopFilter(options.stop)
  }

  /** Whether the text so far ends inside the reasoning. */
  get reasoning(): boolean {
    return this.#mode === 'thought' || this.#mode === 'reasoning'
  }

  /** Whether text is held back that may become content. */
  get holding(): boolean {
    const buffered = this.#buffer !== '' && (this.#mode === 'start' || this.#mode === 'content')
    return buffered || this.#stop.held !== ''
  }

  push(text: string): Piece[] {
    const out: Piece[] = []
    this.#buffer += text
    while (!this.stopped && this.#step(out));
    return out
  }

  /** Returns the text held back, at the end of the answer. Drops a call that was cut before its name was complete. */
  end(): Piece[] {
    const out: Piece[] = []
    if (this.stopped) return out
    if (this.#mode === 'reasoning') emit(out, 'reasoning', this.#buffer)
    if (this.#mode === 'content' || this.#mode === 'start') this.#content(this.#buffer, out)
    if (!this.stopped) emit(out, 'content', this.#stop.end())
    this.#buffer = ''
    return out
  }

  /** Moves what is unambiguous from the buffer to `out`; true if there may be more. */
  #step(out: Piece[]): boolean {
    switch (this.#mode) {
      case 'start':
        return this.#start()
      case 'reasoning':
        return this.#reason(out)
      case 'thought':
        return this.#skipSpace('reasoning')
      case 'gap':
        return this.#skipSpace('content')
      case 'content':
        return this.#plain(out)
      case 'call':
        return this.#call(out)
    }
  }

  #start(): boolean {
    const text = this.#buffer.trimStart()
    if (text.startsWith(THINK)) {
      this.#buffer = text.slice(THINK.length)
      this.#mode = 'thought'
    } else if (THINK.startsWith(text)) return false
    else this.#mode = 'content'
    return true
  }

  #skipSpace(next: Mode): boolean {
    this.#buffer = this.#buffer.trimStart()
    if (this.#buffer !== '') this.#mode = next
    return this.#buffer !== ''
  }

  #reason(out: Piece[]): boolean {
    const end = this.#buffer.indexOf(THINK_END)
    const cut = end < 0 ? this.#buffer.length - heldBack(this.#buffer, [THINK_END]) : end
    emit(out, 'reasoning', this.#buffer.slice(0, cut))
    this.#buffer = this.#buffer.slice(end < 0 ? cut : cut + THINK_END.length)
    if (end >= 0) this.#mode = 'gap'
    return end >= 0
  }

  #plain(out: Piece[]): boolean {
    const start = this.#tools ? this.#buffer.indexOf(CALL) : -1
    if (start >= 0) {
      this.#content(this.#buffer.slice(0, start).trimEnd(), out)
      if (this.stopped) return false
      emit(out, 'content', this.#stop.end())
      this.#buffer = this.#buffer.slice(start + CALL.length)
      this.#mode = 'call'
      return true
    }
    let cut = this.#buffer.length
    if (this.#tools) cut = this.#buffer.slice(0, cut - heldBack(this.#buffer, [CALL])).trimEnd().length
    this.#content(this.#buffer.slice(0, cut), out)
    this.#buffer = this.#buffer.slice(cut)
    return false
  }

  #call(out: Piece[]): boolean {
    if (!this.#arguments) {
      const head = CALL_HEAD.exec(this.#buffer)
      if (!head) return this.#skipCall(out)
      this.#buffer = this.#buffer.slice(head[0].length)
      this.#arguments = new JsonEnd()
      out.push({ kind: 'call', index: this.calls, name: JSON.parse(head[1] as string) as string })
      this.calls++
    }
    const index = this.calls - 1
    // White space before the value may arrive one token after the colon.
    if (!this.#arguments.begun) this.#buffer = this.#buffer.trimStart()
    const taken = this.#arguments.take(this.#buffer)
    if (taken > 0) out.push({ kind: 'arguments', index, text: this.#buffer.slice(0, taken) })
    this.#buffer = this.#buffer.slice(taken)
    const end = this.#arguments.done ? this.#buffer.indexOf(CALL_END) : -1
    if (end < 0) return false
    this.#buffer = this.#buffer.slice(end + CALL_END.length)
    this.#arguments = undefined
    this.#mode = 'gap'
    return true
  }

  /** The text between the tags is not a call: emit it as content, so that it isn't lost. */
  #skipCall(out: Piece[]): boolean {
    const end = this.#buffer.indexOf(CALL_END)
    if (end < 0) return false
    this.#content(CALL + this.#buffer.slice(0, end + CALL_END.length), out)
    this.#buffer = this.#buffer.slice(end + CALL_END.length)
    this.#mode = 'content'
    return true
  }

  #content(text: string, out: Piece[]): void {
    emit(out, 'content', this.#stop.push(text))
    this.stopped = this.#stop.matched
  }
}

class StopFilter {
  held = ''
  matched = false
  readonly #stop: readonly string[]

  constructor(stop: readonly string[]) {
    this.#stop = stop
  }

  push(text: string): string {
    const all = this.held + text
    const starts = this.#stop.map((stop) => all.indexOf(stop)).filter((at) => at >= 0)
    this.matched = starts.length > 0
    const cut = this.matched ? Math.min(...starts) : all.length - heldBack(all, this.#stop)
    this.held = this.matched ? '' : all.slice(cut)
    return all.slice(0, cut)
  }

  end(): string {
    const { held } = this
    this.held = ''
    return held
  }
}

/** Finds the end of a JSON object or array in text that arrives in pieces. */
class JsonEnd {
  begun = false
  done = false
  #depth = 0
  #quoted = false
  #escaped = false

  /** How many characters of `text` belong to the value. */
  take(text: string): number {
    this.begun ||= text !== ''
    for (let i = 0; i < text.length && !this.done; i++) {
      const char = text[i] as string
      if (this.#quoted) {
        if (this.#escaped) this.#escaped = false
        else if (char === '\\') this.#escaped = true
        else if (char === '"') this.#quoted = false
      } else if (char === '"') this.#quoted = true
      else if (char === '{' || char === '[') this.#depth++
      else if (char === '}' || char === ']') {
        this.#depth--
        // A scalar value ends where the surrounding object does.
        this.done = this.#depth <= 0
        if (this.done) return this.#depth < 0 ? i : i + 1
      }
    }
    return this.done ? 0 : text.length
  }
}

/** Length of the longest suffix of `text` that is a proper prefix of one of `marks`. */
function heldBack(text: string, marks: readonly string[]): number {
  let longest = 0
  for (const mark of marks) {
    let length = Math.min(mark.length - 1, text.length)
    while (length > longest && !text.endsWith(mark.slice(0, length))) length--
    longest = Math.max(longest, length)
  }
  return longest
}

function emit(out: Piece[], kind: 'content' | 'reasoning', text: string): void {
  if (text !== '') out.push({ kind, text })
}
