import { Worker } from 'node:worker_threads'

/** Writing transactions, and bytes of their values, after which the log is emptied: a few megabytes of it. */
const mostTransactions = 50
const mostBytes = 4 * 1024 * 1024

/**
 * Has SQLite's log moved into the file itself by a thread, which waits for the disk in the place of this one: that takes
 * some milliseconds on a good disk, and hundreds on one that is busy. The thread is there once there is something to do.
 */
export class Checkpoints {
  readonly #path: string
  readonly #failed: () => void
  #thread: Worker | undefined
  #isBusy = false
  #isOver = false
  #transactions = 0
  #bytes = 0

  /** `failed`: there is no such thread, so somebody else has to do it. */
  constructor(path: string, failed: () => void) {
    this.#path = path
    this.#failed = failed
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
    this.#thread ??= this.#start()
    this.#thread.postMessage('checkpoint')
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
    thread.on('message', () => {
      this.#isBusy = false
    })
    thread.once('error', () => {})
    thread.once('exit', () => {
      if (this.#isOver) return
      this.#isOver = true
      this.#failed()
    })
    return thread
  }
}
