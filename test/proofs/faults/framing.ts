/** How the events of a stream come: as server-sent events, one a line, or as the elements of one list. */
export type Framing = 'events' | 'lines' | 'list'

/** One event: its data, and the name that stands beside it. What is no event has a `stray` text instead. */
export interface Framed {
  readonly data?: string
  readonly name?: string | undefined
  readonly stray?: string
}

/** Divides a stream into its events. */
export interface Deframer {
  read(piece: string): Framed[]
  /** What is left at the end and is no whole event; empty if nothing is missing. */
  end(): string
}

export function deframerFor(framing: Framing): Deframer {
  return framing === 'list' ? new List() : framing === 'lines' ? new Lines() : new Events()
}

class Events implements Deframer {
  #rest = ''

  read(piece: string): Framed[] {
    const events = (this.#rest + piece).split(/\r\n\r\n|\n\n|\r\r/)
    // An event without its blank line is incomplete, and dropped as in every client.
    this.#rest = events.pop() ?? ''
    return events.map(eventIn)
  }

  end(): string {
    return this.#rest
  }
}

function eventIn(text: string): Framed {
  const lines = text.split(/\r\n|\n|\r/)
  const field = (name: string) =>
    lines.filter((line) => line.startsWith(`${name}:`)).map((line) => line.slice(name.length + 1).replace(/^ /, ''))
  const data = field('data')
  if (data.length > 0) return { data: data.join('\n'), name: field('event')[0] }
  return lines.every((line) => line === '' || line.startsWith(':')) ? {} : { stray: text }
}

class Lines implements Deframer {
  #rest = ''

  read(piece: string): Framed[] {
    const lines = (this.#rest + piece).split('\n')
    this.#rest = lines.pop() ?? ''
    return lines.map((data) => ({ data }))
  }

  end(): string {
    return this.#rest.trim()
  }
}

/** Clients of Gemini that know no events take an element as soon as its last brace has come. */
class List implements Deframer {
  #text = ''
  #at = 0
  #depth = 0
  #quoted = false
  /** Where the element begins that has not ended. */
  #start = 0
  #isOver = false

  read(piece: string): Framed[] {
    this.#text += piece
    const found: Framed[] = []
    for (; this.#at < this.#text.length; this.#at++) {
      const sign = this.#text[this.#at] as string
      if (this.#quoted) {
        if (sign === '\\') this.#at++
        else if (sign === '"') this.#quoted = false
      } else if (sign === '"') this.#quoted = true
      else if (sign === '{' || sign === '[') {
        if (++this.#depth === 2) this.#start = this.#at
      } else if (sign === '}' || sign === ']') {
        if (--this.#depth === 1) found.push({ data: this.#text.slice(this.#start, this.#at + 1) })
      }
    }
    return found
  }

  end(): string {
    try {
      this.#isOver = Array.isArray(JSON.parse(this.#text))
    } catch {}
    return this.#isOver ? '' : this.#text.slice(-40) || 'nothing'
  }
}
