import { EventEmitter } from 'node:events'
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { queryObjects } from 'node:v8'

/** What is alive in a process. */
export interface Look {
  /** Objects that survive a garbage collection, by class. What listens, listens to one of these. */
  readonly alive: Readonly<Record<string, number>>
  /** Listeners of the process itself. */
  readonly listeners: number
  readonly uncaught: readonly string[]
  readonly warnings: readonly string[]
}

/** Loaded into a gateway before its own code (`node --import`), to tell on request what it has left behind. */
const uncaught: string[] = []
const warnings: string[] = []
process.on('uncaughtExceptionMonitor', (error) => uncaught.push(String(error)))
process.on('warning', ({ name, message }) => {
  if (name !== 'ExperimentalWarning') warnings.push(`${name}: ${message}`)
})

const timer = setTimeout(() => {}, 0)
type Class = new () => object

const classes = {
  sockets: Socket,
  timers: timer.constructor as Class,
  requests: IncomingMessage,
  responses: ServerResponse,
  signals: AbortSignal,
} as unknown as Readonly<Record<string, Class>>

function look(): Look {
  const alive = Object.entries(classes).map(([name, made]) => [name, queryObjects(made, { format: 'count' })] as const)
  // A pool of connections keeps an empty place for each that it once had at the same time.
  const emitters = queryObjects(EventEmitter, { format: 'summary' }).filter((text) => !/^Client\b/.test(text))
  const listeners = process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0)
  return { alive: { ...Object.fromEntries(alive), emitters: emitters.length }, listeners, uncaught, warnings }
}

process.on('message', (message) => {
  if (message === 'look') process.send?.(look())
})
// The channel must not keep a gateway alive that would end without it.
process.channel?.unref()
