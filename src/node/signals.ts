/** Milliseconds that streams may go on after the gateway was told to stop. */
export const grace = 10_000

/** The first signal asks the gateway to stop, the next one insists. */
export function whenTold(ask: () => void, insist: () => void): void {
  let asked = false
  const told = () => {
    if (asked) return insist()
    asked = true
    ask()
  }
  process.on('SIGINT', told)
  process.on('SIGTERM', told)
}
