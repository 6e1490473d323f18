/**
 * The first line of what an error says; empty if it says nothing, undefined if what was thrown is no `Error`. Safe for
 * anything that a program can throw, such as an error whose `message` throws in turn.
 */
export function messageOf(thrown: unknown): string | undefined {
  try {
    if (!(thrown instanceof Error)) return undefined
    return String(thrown.message).trim().replace(/\n.*$/s, '')
  } catch {
    return undefined
  }
}

/** An error's stack, or an empty text. As safe as `messageOf`. */
export function stackOf(thrown: unknown): string {
  try {
    return thrown instanceof Error ? String(thrown.stack ?? '') : ''
  } catch {
    return ''
  }
}
