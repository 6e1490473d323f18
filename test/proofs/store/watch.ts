import { readFileSync, writeFileSync } from 'node:fs'
import { DatabaseSync, StatementSync } from 'node:sqlite'
import { isMainThread } from 'node:worker_threads'

/**
 * Loaded into a gateway before it starts: measures for how long SQLite holds up its event loop in one turn, and writes the
 * longest to the file that `STORE_WATCH` names when the process ends. In milliseconds; the time in which other programs had
 * the core doesn't count.
 */
const none = () => ({ ms: 0, statements: 0, longest: { ms: 0, sql: '' } })
let longest = none()
let turn = none()

/** Milliseconds that this thread could have run and didn't: the second figure, in nanoseconds. */
function waited(): number {
  return Number(readFileSync('/proc/self/schedstat', 'utf8').split(' ')[1]) / 1e6
}

function measured<T>(sql: string, work: () => T): T {
  const [began, before] = [performance.now(), waited()]
  try {
    return work()
  } finally {
    const ms = performance.now() - began - (waited() - before)
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
