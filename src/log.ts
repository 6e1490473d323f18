/** C0, DEL and C1; Unicode line breaks; characters that change a line's direction. */
const unprintable = /[\x00-\x1f\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

const short: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/**
 * Makes a text safe to print: one line, no effect on the terminal. Names come from clients, upstreams and files and may
 * contain anything. Unprintable characters are shown as in a JSON string, `\u001b`.
 */
export function printable(text: string): string {
  return text.replace(
    unprintable,
    (character) => short[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** Creates a log whose entries can't be forged. The only line breaks kept are those before a stack's frames. */
export function createLog(write: (entry: string) => void): (message: string) => void {
  return (message) =>
    write(
      message
        .split(/\n(?= {4}at )/)
        .map(printable)
        .join('\n'),
    )
}
