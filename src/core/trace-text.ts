import type { Trace } from './trace.ts'

/** Characters. Servers and proxies limit all headers of an answer to 8 KB or more. */
const longest = 4096
/** Characters for what is around the entries. */
const frame = 64

/** What was tried, in order, and what was passed over, as JSON in ASCII that any header or log can hold. */
export function traceText({ attempts, plan }: Trace): string {
  let room = longest - frame
  let isCut = false
  function fitting(entries: readonly object[]): string {
    const kept: string[] = []
    for (const entry of entries) {
      const text = ascii(JSON.stringify(entry))
      isCut ||= text.length >= room
      if (isCut) break
      kept.push(text)
      room -= text.length + 1
    }
    return kept.join()
  }
  const tried = fitting(
    attempts.map(({ deployment, why, parts, ms, status, failure, reason, broke }) => ({
      deployment,
      why,
      parts,
      ms: Math.round(ms),
      status,
      failure,
      reason,
      broke,
    })),
  )
  const skipped = fitting(plan?.skipped.map(({ name, kind }) => ({ name, reason: kind })) ?? [])
  return `{"attempts":[${tried}],"skipped":[${skipped}]${isCut ? ',"cut":true' : ''}}`
}

function ascii(json: string): string {
  return json.replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
