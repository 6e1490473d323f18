import { Worker } from 'node:worker_threads'
import type { Row } from '../state/database.ts'
import type { Order, WorkedStatement, Written } from './sqlite-thread.ts'

/** Writing transactions, and bytes of their values, after which the log is emptied: a few megabytes of it. */
const mostTransactions = 50
const mostBytes = 4 * 1024 * 1024

/**
 * Has a thread do what would keep this one from all else: it moves SQLite's log into the file itself, which takes some
 * milliseconds on a good disk and hundreds on one that is busy, and writes what is large. The thread is there once there is
 * something to do.
 */
export class SqliteAside {
  readonly #path: string
  readonly #alone: <T>(work: () => Promise<T>) => Promise<T>
  readonly #failed: () => void
  #thread: Worker | undefined
  #isBusy = false
  /** Those who wait for what they have it write, in order, and whoever is told of a checkpoint. */
  readonly #waiting: ((written: Written | undefined) => void)[] = []
  #isOver = false
  #transactions = 0
  #bytes = 0

  /**
   * `alone` runs what nothing else of this process may come between. `failed`: there is no such thread, so somebody else
   * has to do it.
   */
  constructor(
    path: string,
    options: { readonly alone: <T>(work: () => Promise<T>) => Promise<T>; readonly failed: () => void },
  ) {
    this.#path = path
    this.#alone = options.alone
    this.#failed = options.failed
  }

  /** False: it has failed. */
  get isThere(): boolean {
    return !this.#isOver
  }

  /** A transaction was written, with so many bytes. */
  written(bytes: number): void {
    this.#transactions++
    this.#bytes += bytes
    if (this.#isBusy || this.#isOver) return
    if (this.#transactions < mostTransactions && this.#bytes < mostBytes) return
    this.#transactions = 0
    this.#bytes = 0
    this.#isBusy = true
    void this.#checkpoint()
  }

  /** Whoever writes first after it begins the log anew, and waits for the disk: that is to be the thread. */
  async #checkpoint(): Promise<void> {
    await this.#ordered('checkpoint')
    await this.#alone(() => this.#ordered('restart')).catch(() => {})
    this.#isBusy = false
  }

  /**
   * Runs statements in one transaction. Rejects with an error such as SQLite's own; resolves with undefined if the
   * thread ends meanwhile, perhaps with the work done.
   */
  async run(statements: readonly WorkedStatement[]): Promise<readonly (readonly Row[])[] | undefined> {
    const written = await this.#ordered(statements)
    if (written && 'message' in written) {
      const { message, errcode } = written
      throw Object.assign(new Error(message), { code: 'ERR_SQLITE_ERROR', errcode })
    }
    return written?.rows
  }

  /** Undefined for a checkpoint, and if the thread has ended. */
  #ordered(order: Order): Promise<Written | undefined> {
    if (this.#isOver) return Promise.resolve(undefined)
    this.#thread ??= this.#start()
    const thread = this.#thread
    return new Promise((told) => {
      this.#waiting.push(told)
      // Who waits for what is written waits for the process too.
      if (order !== 'checkpoint') thread.ref()
      thread.postMessage(order)
    })
  }

  #answered(written: Written | undefined): void {
    this.#waiting.shift()?.(written)
    // Until it has closed the file it is waited for.
    if (this.#waiting.length === 0 && !this.#isOver) this.#thread?.unref()
  }

  /** Resolves once the thread has ended. */
  async close(): Promise<void> {
    this.#isOver = true
    const thread = this.#thread
    if (!thread) return
    thread.ref()
    const ended = new Promise((resolve) => thread.once('exit', resolve))
    thread.postMessage('close')
    await ended
  }

  #start(): Worker {
    const thread = new Worker(new URL('./sqlite-thread.ts', import.meta.url), { workerData: this.#path })
    // Nobody has to wait for it to end the process.
    thread.unref()
    thread.on('message', (written: Written | undefined) => this.#answered(written))
    thread.once('error', () => {})
    thread.once('exit', () => {
      for (const told of this.#waiting.splice(0)) told(undefined)
      if (this.#isOver) return
      this.#isOver = true
      this.#failed()
    })
    return thread
  }
}
