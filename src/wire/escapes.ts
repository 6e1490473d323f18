/** A text without escapes; each of its characters stands for the characters from `starts` to `ends` of the original. */
export interface Undone {
  readonly text: string
  readonly starts: readonly number[]
  readonly ends: readonly number[]
}

/** Escapes inside escapes that are undone, as in JSON inside JSON or in a URL that was encoded twice. */
const mostPasses = 3

/** Undoes JSON's, URLs' and HTML's escapes, and drops the NULs of UTF-16 that was read as UTF-8. Linear in time. */
export function undone(text: string): Undone {
  let result = pass(text)
  for (let passes = 1; passes < mostPasses && marks.test(result.text); passes++) {
    const { starts, ends } = result
    const next = pass(result.text)
    if (next.text === result.text) break
    result = {
      text: next.text,
      starts: next.starts.map((start) => starts[start] as number),
      ends: next.ends.map((end) => ends[end - 1] as number),
    }
  }
  return result
}

const marks = /[\\%&\0]/

function pass(text: string): Undone {
  let plain = ''
  const starts: number[] = []
  const ends: number[] = []
  for (let at = 0; at < text.length; ) {
    const { meant, end } = meaningAt(text, at)
    for (let unit = 0; unit < meant.length; unit++) {
      plain += meant[unit]
      starts.push(at)
      ends.push(end)
    }
    at = end
  }
  return { text: plain, starts, ends }
}

/** What the character or the escape at `at` means, and where it ends. */
function meaningAt(text: string, at: number): { readonly meant: string; readonly end: number } {
  const character = text[at] as string
  if (!marks.test(character)) return { meant: character, end: at + 1 }
  if (character === '\0') return { meant: '', end: at + 1 }
  if (character === '\\') return behindBackslashes(text, at)
  references.lastIndex = at
  const [found, byte, hex, decimal] = references.exec(text) ?? []
  if (found === undefined) return { meant: character, end: at + 1 }
  const code = decimal === undefined ? Number.parseInt(byte ?? hex ?? '', 16) : Number(decimal)
  // Bytes beyond ASCII are parts of characters, and no key has any.
  return { meant: code > 0x10ffff ? '' : String.fromCodePoint(code), end: at + found.length }
}

/** `%2F`, `&#x2f;`, `&#47;` */
const references = /%([\da-f]{2})|&#(?:x([\da-f]{1,6})|(\d{1,7}));/iy

/** Any number of backslashes, and then `u002f` or a character. */
function behindBackslashes(text: string, at: number): { readonly meant: string; readonly end: number } {
  let end = at
  while (text[end] === '\\') end++
  if (end === text.length) return { meant: text.slice(at), end }
  const code = text[end] === 'u' ? text.slice(end + 1, end + 5) : ''
  if (/^[\da-f]{4}$/i.test(code)) return { meant: String.fromCharCode(Number.parseInt(code, 16)), end: end + 5 }
  return { meant: text[end] as string, end: end + 1 }
}
