import type { RequestReport } from '../core/report.ts'
import type { AttemptRecord } from '../core/trace.ts'
import { dollarsOf } from '../prices/money.ts'
import { shownJSON, shownName } from './keys.ts'

/**
 * A request as a line of JSON, without what is unknown. Times in milliseconds, the cost in US dollars. All of it is
 * built from named facts: no header, body, query or message of an upstream gets in, and so no secret; names that look like
 * a key are left out. `time`: ISO 8601;
 * `level`: as words; `content`: members to add, as JSON.
 */
export function jsonLine(report: RequestReport, time: string, level: string, content = ''): string {
  const { tokens, trace, served, failure } = report
  // Written out, because an object made for `JSON.stringify` costs twice as much.
  let line = `{"time":"${time}","level":"${level}","msg":"request","id":"${report.requestId}","method":"${report.method}"`
  line += `,"path":${shownJSON(report.path)},"status":${report.status},"outcome":"${report.outcome}"`
  if (report.outcome === 'cut') line += `,"cut_by":"${cutter(report)}"`
  if (report.operation !== undefined) line += `,"operation":"${report.operation}"`
  if (report.model !== undefined) line += `,"model":${shownJSON(report.model)}`
  if (served) line += `,"served":${shownJSON(served.label)}`
  const reason = reasonOf(report)
  if (reason !== undefined) line += `,"reason":${JSON.stringify(reason)}`
  if (failure?.param) line += `,"param":${shownJSON(failure.param)}`
  if (failure?.limit) line += `,"limit":"${failure.limit}"`
  line += `,"stream":${report.streams},"ms":${rounded(report.ms)}`
  if (report.asked?.background === true) line += ',"background":true'
  if (report.firstMs !== undefined) line += `,"first_ms":${rounded(report.firstMs)}`
  if (tokens) {
    line += `,"input":${tokens.input},"output":${tokens.output}`
    if (tokens.cached > 0) line += `,"cached":${tokens.cached}`
    if (tokens.reasoning > 0) line += `,"reasoning":${tokens.reasoning}`
  }
  if (report.cost !== undefined) line += `,"cost":${dollarsOf(report.cost)}`
  if (report.key !== undefined) line += `,"key":${shownJSON(report.key)}`
  if (report.user !== undefined) line += `,"user":${shownJSON(report.user)}`
  if (trace.cache) line += `,"cache":"${trace.cache}"`
  if (trace.context) line += `,"trace_id":"${trace.context.traceId}"`
  line += `,"bytes_in":${report.bytesIn}`
  if (trace.attempts.length > 0)
    line += `,"attempts":[${trace.attempts.map((attempt, at) => attemptJSON(attempt, at > 0 ? report.started : undefined)).join()}]`
  if (trace.plan && trace.plan.skipped.length > 0) {
    const skipped = trace.plan.skipped
      .slice(0, most)
      .map(({ name, kind }) => ({ deployment: shownName(name), reason: kind }))
    line += `,"skipped":${JSON.stringify(skipped)}`
  }
  if (trace.dropped && trace.dropped.length > 0)
    line += `,"dropped":${JSON.stringify(trace.dropped.slice(0, most).map(shownName))}`
  if (trace.continued) line += `,"continued":${JSON.stringify(trace.continued.map(shownName))}`
  return `${line}${content}}`
}

/** How many entries of a list are written. */
export const most = 20

/** To a thousandth, or what `per` says. */
export function rounded(value: number, per = 1000): number {
  return Math.round(value * per) / per
}

/** Why it failed, or why it wasn't the requested model that answered. */
export function reasonOf({ failure, outcome, trace }: RequestReport): string | undefined {
  const { attempts } = trace
  const broken = outcome === 'cut' ? attempts.at(-1)?.reason : undefined
  return failure?.reason ?? broken ?? trace.reason ?? attempts.find((attempt) => attempt.failure)?.reason
}

/** Who has cut a stream: the gateway, which stops or has waited long enough, or the upstream. */
export function cutter(report: RequestReport): 'gateway' | 'upstream' {
  return /^(upstream_timeout|shutting_down|internal_error)$/.test(reasonOf(report) ?? '') ? 'gateway' : 'upstream'
}

/** `since`: when the request came, in milliseconds since 1970; undefined for the first attempt, which waits for nothing. */
function attemptJSON(attempt: AttemptRecord, since: number | undefined): string {
  const { deployment, at, ms, status, failure, reason, broke, parts } = attempt
  let json = `{"deployment":${shownJSON(deployment)}`
  if (since !== undefined) json += `,"at":${Math.round(at - since)}`
  json += `,"ms":${Math.round(ms)}`
  if (status !== undefined) json += `,"status":${status}`
  if (failure !== undefined) json += `,"failure":"${failure}"`
  if (reason !== undefined) json += `,"reason":${JSON.stringify(reason)}`
  if (broke) json += ',"broke":true'
  if (parts !== undefined) json += `,"parts":${parts}`
  return `${json}}`
}
