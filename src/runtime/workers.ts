import { type ChildProcess, fork } from 'node:child_process'
import type { Socket } from 'node:net'
import type { Clock } from '../core/clock.ts'
import type { Log } from '../core/log.ts'
import { Gathering } from '../observe/metrics/gathering.ts'
import { sumOf, type Tally } from '../observe/metrics/metric.ts'
import { StartError } from './listening.ts'
import type { Order, Report } from './worker-messages.ts'

export interface WorkersOptions<Job> {
  readonly count: number
  /** The script that a worker runs. */
  readonly file: string
  /** Sent with `start`: anything that can be cloned. */
  readonly job: Job
  readonly clock: Clock
  readonly log: Log
  /** Answers the questions of workers. */
  readonly answer?: (question: unknown) => Promise<unknown>
  /** What this process has counted itself. */
  readonly own?: () => Promise<Tally>
}

/** A worker's slot, which a new worker takes when it ends. */
interface Place {
  /** Workers in a row that ended soon after they started. */
  hasty: number
}

interface Worker {
  readonly place: Place
  readonly child: ChildProcess
  /** Connections that it has not taken yet, in order. If it ends they go to other workers. */
  readonly sent: Socket[]
  /** When it started to take connections. */
  since: number | undefined
  failure: string | undefined
  /** Another worker has its place already. */
  left: boolean
  /** Of the job that it has. */
  version: string | undefined
  /** By which a store knows it, if one does. */
  owner: string | undefined
  /** Called when it has the job that was sent last, or never will. */
  onReload: () => void
}

/** Milliseconds of service after which a worker counts as stable. */
const settled = 10_000
const longestWait = 30_000
/** Milliseconds in which a worker must have another job. */
const longestReload = 15_000

/**
 * Processes that take connections in turn, so that each has the same number of them: a kernel that lets processes
 * compete for connections gives nearly all to one, and `node:cluster` gives most to the fastest. A worker that ends is
 * replaced, with growing delays if its successors end soon too.
 */
export class Workers<Job> {
  readonly #options: WorkersOptions<Job>
  /** Adds up what the workers count. */
  readonly #gathering: Gathering<Worker>
  /** What a worker that starts is to do. */
  #job: Job
  readonly #alive = new Set<Worker>()
  /** Workers that take connections. */
  #serving: readonly Worker[] = []
  #turn = 0
  /** Connections that arrived while no worker could take them. */
  #held: Socket[] = []
  /** Names of workers that have died, of which no other has been told. */
  #dead: string[] = []
  #begun = false
  #stopping = false
  #onAll: (pids: readonly number[]) => void = () => {}
  #onFailure: (error: Error) => void = () => {}
  #onStopped: () => void = () => {}

  constructor(options: WorkersOptions<Job>) {
    this.#options = options
    this.#gathering = new Gathering(options.clock)
    this.#job = options.job
  }

  /** The workers that take connections, by process id, each with the version of its job. */
  get versions(): readonly { readonly pid: number; readonly version: string | undefined }[] {
    return this.#serving.map(({ child, version }) => ({ pid: child.pid ?? 0, version }))
  }

  /** Resolves with the process ids when all can take connections. Rejects with a `StartError` if one ends before. */
  start(): Promise<readonly number[]> {
    return new Promise((resolve, reject) => {
      this.#onAll = resolve
      this.#onFailure = reject
      for (let n = 0; n < this.#options.count; n++) this.#fill({ hasty: 0 })
    })
  }

  /**
   * Has all workers do another job, beside what they have begun. Resolves when they do. One that can't is replaced by one
   * that begins with it, and ends what it has begun.
   */
  async reload(job: Job): Promise<void> {
    this.#job = job
    const { clock, log } = this.#options
    const waits = [...this.#alive].map((worker) => {
      if (worker.left) return undefined
      const { promise, resolve } = Promise.withResolvers<void>()
      const cancel = clock.after(longestReload, () => {
        log(`worker ${worker.child.pid} does not take the new configuration`)
        this.#release(worker)
        worker.onReload()
      })
      worker.onReload = () => {
        worker.onReload = () => {}
        cancel()
        resolve()
      }
      this.#tell(worker, { kind: 'reload', job })
      return promise
    })
    await Promise.all(waits)
  }

  /** Gives a connection, from which nothing has been read, to the next worker. */
  deal(socket: Socket): void {
    if (this.#stopping) return void socket.destroy()
    const worker = this.#serving[this.#turn++ % this.#serving.length]
    if (!worker) return void this.#held.push(socket)
    worker.sent.push(socket)
    // Kept open here until the worker has it: if the worker dies, Node would lose the socket without closing it.
    worker.child.send({ kind: 'connection' } satisfies Order<Job>, socket, { keepOpen: true }, (error) => {
      // A worker that can't be reached has ended, or is about to.
      if (error) this.#withdraw(worker)
    })
  }

  /** What all workers have counted, and this process. Never rejects. */
  async gather(): Promise<Tally> {
    const sum = await this.#gathering.gather(this.#alive, (member, round) =>
      this.#tell(member, { kind: 'count', round }),
    )
    const own = await this.#options.own?.()
    return own ? sumOf([sum, own]) : sum
  }

  /** Tells all workers to finish their answers. Resolves when the last one has ended. */
  stop(): Promise<void> {
    this.#stopping = true
    for (const socket of this.#held) socket.destroy()
    for (const worker of this.#alive) this.#tell(worker, { kind: 'stop', replaced: false })
    return new Promise((resolve) => {
      this.#onStopped = resolve
      if (this.#alive.size === 0) resolve()
    })
  }

  /** Kills all workers at once. */
  kill(): void {
    this.#stopping = true
    for (const { child } of this.#alive) child.kill('SIGKILL')
  }

  #fill(place: Place): void {
    const child = fork(this.#options.file, [], { serialization: 'advanced' })
    const worker: Worker = {
      ...{
        place,
        child,
        sent: [],
        since: undefined,
        failure: undefined,
        left: false,
        version: undefined,
        owner: undefined,
      },
      onReload() {},
    }
    this.#alive.add(worker)
    child.on('message', (report: Report) => this.#hear(worker, report))
    // Not 'exit': the worker's last messages may be read after that.
    child.once('close', (code, signal) => {
      this.#end(worker, signal ? `was ended by ${signal}` : `ended with code ${code}`)
    })
    child.on('error', (error) => {
      if (child.pid === undefined) this.#end(worker, `could not be started (${error.message})`)
    })
    this.#tell(worker, { kind: 'start', job: this.#job })
  }

  #hear(worker: Worker, report: Report): void {
    if (report.kind === 'taken') worker.sent.shift()?.destroy()
    else if (report.kind === 'failed') worker.failure = report.message
    else if (report.kind === 'ready') this.#admit(worker, report)
    else if (report.kind === 'ask') this.#answer(worker, report)
    else if (report.kind === 'counts') this.#gathering.heard(worker, report.tally, report.round)
    else if (report.kind === 'scrape') void this.#count(worker, report.id)
    else if (report.kind === 'reloaded') {
      worker.version = report.version
      worker.owner = report.owner
      worker.onReload()
    } else {
      if (report.kind === 'unfit') {
        this.#options.log(`worker ${worker.child.pid} can't take the new configuration (${report.message})`)
      }
      this.#release(worker)
      worker.onReload()
    }
  }

  #answer(worker: Worker, { id, question }: Extract<Report, { kind: 'ask' }>): void {
    const { answer = async () => undefined } = this.#options
    answer(question).then(
      (value) => this.#tell(worker, { kind: 'answer', id, value }),
      (error: unknown) => this.#tell(worker, { kind: 'answer', id, failure: String(error) }),
    )
  }

  /** Tells a worker what all have counted. */
  async #count(worker: Worker, id: number): Promise<void> {
    this.#tell(worker, { kind: 'counted', id, sum: await this.gather() })
  }

  #admit(worker: Worker, { version, owner }: Extract<Report, { kind: 'ready' }>): void {
    worker.version = version
    worker.owner = owner
    const { clock, count, log } = this.#options
    worker.since = clock.now()
    this.#serving = [...this.#serving, worker]
    this.#tellOfDead()
    const held = this.#held
    this.#held = []
    for (const socket of held) this.deal(socket)
    if (this.#begun) log(`worker ${worker.child.pid} answers`)
    if (this.#begun || this.#serving.length < count) return
    this.#begun = true
    this.#onAll(this.#serving.map(({ child }) => child.pid ?? 0))
  }

  /** The worker got a signal to leave: it finishes its connections, and its replacement can start meanwhile. */
  #release(worker: Worker): void {
    this.#withdraw(worker)
    this.#tell(worker, { kind: 'stop', replaced: true })
    // A signal to the whole process group must reach this process first.
    this.#options.clock.after(0, () => {
      if (this.#stopping || !this.#begun || worker.left) return
      worker.left = true
      this.#options.log(`worker ${worker.child.pid} was told to leave; another takes its place`)
      this.#fill({ hasty: 0 })
    })
  }

  #end(worker: Worker, how: string): void {
    if (!this.#alive.delete(worker)) return
    this.#gathering.ended(worker)
    this.#withdraw(worker)
    if (worker.owner !== undefined) this.#dead.push(worker.owner)
    this.#tellOfDead()
    worker.onReload()
    for (const socket of worker.sent.splice(0)) this.deal(socket)
    if (this.#stopping) {
      if (this.#alive.size === 0) this.#onStopped()
    } else if (!this.#begun) {
      this.#onFailure(new StartError(worker.failure ?? `A worker ${how} before it could answer.`))
    } else if (!worker.left) {
      this.#replace(worker, worker.failure === undefined ? how : `could not start (${worker.failure})`)
    }
  }

  #replace(worker: Worker, how: string): void {
    const { clock, log } = this.#options
    const { place, since = clock.now(), child } = worker
    place.hasty = clock.now() - since < settled ? place.hasty + 1 : 0
    const wait = place.hasty < 2 ? 0 : Math.min(longestWait, 1_000 * 2 ** (place.hasty - 2))
    log(`worker ${child.pid} ${how}; another takes its place${wait > 0 ? ` in ${wait / 1000} s` : ''}`, 'warn')
    clock.after(wait, () => {
      if (!this.#stopping) this.#fill(place)
    })
  }

  /** One that lives books what they had taken in advance: else all would wait until they have said nothing for long. */
  #tellOfDead(): void {
    const [living] = this.#serving
    if (living) for (const owner of this.#dead.splice(0)) this.#tell(living, { kind: 'dead', owner })
  }

  #withdraw(worker: Worker): void {
    this.#serving = this.#serving.filter((other) => other !== worker)
  }

  #tell({ child }: Worker, order: Order<Job>): void {
    child.send(order, () => {})
  }
}
