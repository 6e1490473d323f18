import type { Clock } from '../core/clock.ts'
import { type Level, type Log, levels } from '../core/log.ts'
import type { Observer, RequestReport } from '../core/report.ts'
import { createLog, printable } from '../log.ts'
import { withoutKeys } from './keys.ts'
import type { LogSettings } from './log-settings.ts'
import { jsonLine } from './request-line.ts'

/** Takes one entry, without its line break. `urgent`: it doesn't wait for others, as the lines of requests do. */
export type Output = (entry: string, urgent: boolean) => void

export interface LoggerOptions {
  readonly output: Output
  readonly clock: Pick<Clock, 'now'>
  readonly random: () => number
  /** A request as a line for people. Undefined: there is none as long as its code isn't loaded. */
  readonly textOf?: (report: RequestReport) => string | undefined
  /** The content of a request, as members of JSON. Absent: it isn't written. */
  readonly contentOf?: (report: RequestReport) => string
}

export interface Logger {
  readonly log: Log
  /** Writes a line for each request. Undefined if no such line could be written. */
  readonly observer: Observer | undefined
}

/** Creates the log. Its entries can't be forged, and a request's line costs about a microsecond. */
export function createLogger({ level: least, format, sample, content }: LogSettings, options: LoggerOptions): Logger {
  const { output, clock, random, textOf, contentOf } = options
  const writes = (level: Level) => least !== 'silent' && levels.indexOf(level) <= levels.indexOf(least)
  const written = Object.fromEntries(levels.map((level) => [level, writes(level)])) as Record<Level, boolean>
  const time = timer()

  function write(told: string, level: Level): void {
    const at = time(clock.now())
    const message = withoutKeys(told).toWellFormed()
    if (format === 'text') createLog((entry) => output(`${at} ${level.padEnd(5)} ${entry}`, true))(message)
    else output(JSON.stringify({ time: at, level, msg: message }), true)
  }

  const observer: Observer = {
    content,
    over(report) {
      const level = levelOf(report)
      if (!written[level] || (level === 'info' && sample < 1 && random() >= sample)) return
      // When it was over, which may be a while ago.
      const at = time(report.started + report.ms)
      const more = content ? contentOf?.(report) : undefined
      const text = format === 'text' ? textOf?.(report) : undefined
      const entry =
        text === undefined
          ? jsonLine(report, at, level, more)
          : `${at} ${level.padEnd(5)} ${printable(text)}${more ? ` {${more.slice(1)}}` : ''}`
      output(entry, level === 'error')
    },
  }

  return {
    log(message, level = 'info') {
      if (written[level]) write(message, level)
    },
    observer: written.error ? observer : undefined,
  }
}

/** `warn`: somebody had trouble whom a client can't help: an upstream, or the line to it. */
function levelOf({ failure, outcome, trace, status }: RequestReport): Level {
  if (failure?.kind === 'internal') return 'error'
  const troubled = trace.attempts.some((attempt) => attempt.broke || (attempt.failure && attempt.failure !== 'gone'))
  return troubled || outcome === 'cut' || status >= 500 ? 'warn' : 'info'
}

/** Words a time in ISO 8601. Most entries come in the same second as the one before. */
function timer(): (ms: number) => string {
  let second = Number.NaN
  let text = ''
  return (ms) => {
    const now = Math.floor(ms / 1000)
    if (now !== second) {
      second = now
      text = new Date(now * 1000).toISOString().slice(0, -4)
    }
    return `${text}${String(Math.floor(ms % 1000)).padStart(3, '0')}Z`
  }
}
