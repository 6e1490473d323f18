import type { RequestReport } from '../core/report.ts'
import type { AttemptRecord } from '../core/trace.ts'
import { dollarsOf } from '../prices/money.ts'
import { shownName } from './keys.ts'
import { cutter, most, reasonOf, rounded } from './request-line.ts'

/** A request as a line for people: what was asked, what came of it, and where the time went. */
export function textLine(report: RequestReport): string {
  const { tokens, served, trace, model, failure } = report
  const parts = [`${report.method} ${shownName(report.path)} ${report.status}`]
  if (report.asked?.background === true) parts.push('background')
  if (report.outcome === 'cut') parts.push(`cut by the ${cutter(report)}`)
  else if (report.outcome !== 'done') parts.push(report.outcome)
  const reason = reasonOf(report)
  if (reason !== undefined) parts.push(failure?.limit ? `(${reason}: ${failure.limit})` : `(${reason})`)
  parts.push(`${Math.round(report.ms)} ms`)
  if (report.streams && report.firstMs !== undefined) parts.push(`first ${Math.round(report.firstMs)} ms`)
  if (model !== undefined) {
    parts.push(
      served && served.label !== model ? `${shownName(model)} -> ${shownName(served.label)}` : shownName(model),
    )
  }
  if (tokens) parts.push(`${tokens.input}+${tokens.output} tokens`)
  if (report.cost) parts.push(`$${rounded(dollarsOf(report.cost), 1e6)}`)
  if (trace.cache) parts.push(`cache ${trace.cache}`)
  if (report.key !== undefined) parts.push(`key ${report.key}`)
  const failed = trace.attempts.filter(({ failure }) => failure !== undefined)
  if (failed.length > 0) parts.push(`after ${failed.slice(0, most).map(attemptText).join(', ')}`)
  const waited = waitBetween(trace.attempts)
  if (waited > 0) parts.push(`waited ${waited} ms`)
  const skipped = trace.plan?.skipped.filter(({ kind }) => kind !== 'duplicate' && kind !== 'not_drawn') ?? []
  if (skipped.length > 0) {
    parts.push(
      `skipped ${skipped
        .slice(0, most)
        .map(({ name, kind }) => `${shownName(name)}: ${kind}`)
        .join(', ')}`,
    )
  }
  return `${report.requestId} ${parts.join(' ')}`
}

function attemptText({ deployment, ms, status, reason, failure }: AttemptRecord): string {
  const told = status === undefined ? '' : ` ${status}`
  return `${shownName(deployment)}: ${reason ?? failure}${told} (${Math.round(ms)} ms)`
}

/** Milliseconds in which no attempt was going on, from the first to the last. */
function waitBetween(attempts: readonly AttemptRecord[]): number {
  let waited = 0
  let until = attempts[0]?.at ?? 0
  for (const { at, over, ms } of attempts) {
    waited += Math.max(0, at - until)
    until = Math.max(until, over ?? at + ms)
  }
  return Math.round(waited)
}
