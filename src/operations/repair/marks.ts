/** How many characters at the end of a text may be the start of one of the marks. */
export function startOfMark(text: string, marks: readonly string[]): number {
  let most = 0
  for (const mark of marks) {
    for (let length = Math.min(mark.length - 1, text.length); length > most; length--) {
      if (!text.endsWith(mark.slice(0, length))) continue
      most = length
      break
    }
  }
  return most
}
