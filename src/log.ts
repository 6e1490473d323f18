/** C0, DEL and C1; the line breaks of Unicode; what turns the direction of a line. */
const unprintable = /[\x00-\x1f\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

const short: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/**
 * A text that stays on its line and leaves the terminal alone: names come from clients, upstreams and files, and may
 * hold anything. What it would do otherwise is shown as in a JSON string, `\u001b`.
 */
export function printable(text: string): string {
  return text.replace(
    unprintable,
    (character) => short[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** A log whose entries nobody can forge. Of line breaks only those before a stack's frames are left. */
export function createLog(write: (entry: string) => void): (message: string) => void {
  return (message) =>
    write(
      message
        .split(/\n(?= {4}at )/)
        .map(printable)
        .join('\n'),
    )
}
