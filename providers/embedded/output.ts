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
 * Splits generated text, as it comes, into content, reasoning and tool calls, and cuts it at a stop string.
 * It holds back only what may yet turn out to be a tag or a stop string. White space around reasoning and
 * calls goes, as it belongs to the tags; the line end before `</think>` stays, as llama-server has it.
 */
export class OutputParser {
  /** A stop string has come; what follows is ignored. */
  stopped = false
  /** Calls begun so far. */
  calls = 0
  #mode: Mode
  #buffer = ''
  #arguments: JsonEnd | undefined
  readonly #tools: boolean
  readonly #stop: StopFilter

  /** Without `thinking` or `tools` their tags are content like any other. */
  constructor(options: { thinking: boolean; tools: boolean; stop: readonly string[] }) {
    this.#mode = options.thinking ? 'start' : 'content'
    this.#tools = options.tools
    this.#stop = new StopFilter(options.stop)
  }

  /** The end of the text so far is in the reasoning. */
  get reasoning(): boolean {
    return this.#mode === 'thought' || this.#mode === 'reasoning'
  }

  /** Some text is held back that may yet become content. */
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

  /** What was held back, once nothing can follow. A call cut off before its name was whole is dropped. */
  end(): Piece[] {
    const out: Piece[] = []
    if (this.stopped) return out
    if (this.#mode === 'reasoning') emit(out, 'reasoning', this.#buffer)
    if (this.#mode === 'content' || this.#mode === 'start') this.#content(this.#buffer, out)
    if (!this.stopped) emit(out, 'content', this.#stop.end())
    this.#buffer = ''
    return out
  }

  /** Takes what can be told apart from the buffer; true if there may be more to tell. */
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
    // White space before the value may come a token after the colon.
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

  /** Between the tags is something else than a call: it is shown as it stands rather than lost. */
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

/** Finds where a JSON object or array ends, in text that comes in parts. */
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
        // A bare value ends where the object around it does.
        this.done = this.#depth <= 0
        if (this.done) return this.#depth < 0 ? i : i + 1
      }
    }
    return this.done ? 0 : text.length
  }
}

/** The length of the longest end of `text` that one of `marks` begins with. */
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
