/** The first signal stops the gateway gracefully, the second one at once. */
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
