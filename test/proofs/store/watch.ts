import { readFileSync, writeFileSync } from 'node:fs'
import { DatabaseSync, StatementSync } from 'node:sqlite'
import { isMainThread } from 'node:worker_threads'

/**
 * Loaded into a gateway before it starts: measures for how long SQLite holds up its event loop in one turn, and writes the
 * longest to the file that `STORE_WATCH` names when the process ends. In milliseconds; the time in which others had the core
 * doesn't count, other programs or other machines.
 */
const none = () => ({ ms: 0, statements: 0, longest: { ms: 0, sql: '' } })
let longest = none()
let turn = none()

/** Milliseconds that this thread has run, that it could have run and didn't, and how often it waited for something else. */
function clocks() {
  const [ran, delayed] = readFileSync('/proc/self/schedstat', 'utf8')
    .split(' ')
    .map((text) => Number(text) / 1e6)
  const [, waits] = /^voluntary_ctxt_switches:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
  return { now: performance.now(), ran: ran ?? 0, delayed: delayed ?? 0, waits: Number(waits) }
}

function measured<T>(sql: string, work: () => T): T {
  const before = clocks()
  try {
    return work()
  } finally {
    const after = clocks()
    const idle = after.waits > before.waits
    const ms = idle ? after.now - before.now - (after.delayed - before.delayed) : after.ran - before.ran
    if (turn.statements === 0) {
      setImmediate(() => {
        turn = none()
      })
    }
    turn.ms += ms
    turn.statements++
    if (ms > turn.longest.ms) turn.longest = { ms, sql }
    if (turn.ms > longest.ms) longest = { ...turn }
  }
}

const { STORE_WATCH: file } = process.env
if (isMainThread && file) {
  const { exec } = DatabaseSync.prototype
  DatabaseSync.prototype.exec = function (sql) {
    return measured(sql, () => exec.call(this, sql))
  }
  const { all } = StatementSync.prototype
  StatementSync.prototype.all = function (...values: unknown[]) {
    return measured(this.sourceSQL, () => Reflect.apply(all, this, values))
  }
  // What happens before it serves holds up nobody.
  process.on('SIGUSR2', () => {
    longest = none()
  })
  process.on('exit', () => writeFileSync(file, JSON.stringify(longest)))
}
