import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { start } from '../../bench/processes.ts'
import { bundle, freePort } from '../../bench/workerd.ts'
import type { BudgetRequest } from '../../workerd/budget-worker.ts'
import { type BudgetSettings, keyLimit, keySubject, project } from './meters.ts'
import { type Line, type Proof, problemsOf } from './prove.ts'

export interface ObjectProofSettings extends BudgetSettings {
  /** Services of workerd, each with an isolate of its own. */
  readonly isolates: number
  /** Of a hundred requests, in how many the Worker throws before it settles. */
  readonly dying: number
}

/** Milliseconds after which a request that nobody settles is taken for dead. */
const lease = 3_000
/** How often in a row the budget has to be used up for a client to give up: others may still give back. */
const patience = 3

/** Has several isolates of a Worker spend one budget in Durable Objects, and reads what is booked in the end. */
export async function proveObjects(settings: ObjectProofSettings): Promise<Proof & { readonly died: number }> {
  const { ports, stop } = await startIsolates(settings.isolates)
  const billed = new Map<string, number>()
  let [requests, died] = [0, 0]

  async function client(port: number): Promise<void> {
    let refusals = 0
    while (refusals < patience) {
      const bound = 1 + Math.floor(Math.random() * settings.most)
      const key = Math.floor(Math.random() ** 2 * settings.keys)
      const cost = Math.floor(Math.random() * (bound + 1))
      const dies = Math.random() * 100 < settings.dying
      const asked: BudgetRequest = { settings, key, bound, cost, dies, lease }
      const response = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: JSON.stringify(asked) })
      const said = await response.text()
      if (response.status === 429) {
        if (said.includes(project)) refusals++
        continue
      }
      if (response.ok === dies) throw new Error(`unexpected: ${response.status} ${said}`)
      refusals = 0
      requests++
      if (dies) died++
      // Billed: whatever became of the Worker, somebody has to pay for it.
      for (const subject of [project, keySubject(key)]) billed.set(subject, (billed.get(subject) ?? 0) + cost)
    }
  }

  async function lineOf(subject: string): Promise<Line> {
    const response = await fetch(`http://127.0.0.1:${ports[0]}/${encodeURIComponent(subject)}`)
    const reading = (await response.json()) as Pick<Line, 'spent' | 'held' | 'lost'>
    const limit = subject === project ? settings.limit : keyLimit(settings)
    return { subject, limit, billed: billed.get(subject) ?? 0, ...reading }
  }

  try {
    const started = performance.now()
    await Promise.all(ports.flatMap((port) => Array.from({ length: settings.clients }, () => client(port))))
    const seconds = (performance.now() - started) / 1000
    const subjects = [project, ...Array.from({ length: settings.keys }, (_, key) => keySubject(key))]
    const read = () => Promise.all(subjects.map(lineOf))
    let lines = await read()
    // Alarms book those that died.
    for (; lines.some(({ held }) => held > 0); lines = await read())
      await new Promise((again) => setTimeout(again, 100))
    const fates = settings.dying > 0 ? (['kill'] as const) : []
    return { requests, died, seconds, lines, problems: problemsOf({ ...settings, fates }, lines) }
  } finally {
    await stop()
  }
}

/** Starts workerd with so many services of the same Worker, whose object is the first one's. */
async function startIsolates(count: number) {
  const { folder, main, modules } = await bundle('prove-budget', 'test/workerd/budget-worker.ts')
  const ports = await Promise.all(Array.from({ length: count }, freePort))
  const names = [main, ...modules.map(({ name }) => name).filter((name) => name !== main)]
  const files = names.map((name) => `(name = "${name}", esModule = embed "${name}")`).join(', ')
  const disk = await mkdtemp(join(tmpdir(), 'budget-'))
  const services = ports.map((_, at) => `(name = "w${at}", worker = .worker${at})`)
  const sockets = ports.map(
    (port, at) => `(name = "s${at}", address = "127.0.0.1:${port}", http = (), service = "w${at}")`,
  )
  const workers = ports.map((_, at) => {
    const place = at === 0 ? '"Meters"' : '(className = "Meters", serviceName = "w0")'
    const own = `durableObjectNamespaces = [(className = "Meters", uniqueKey = "meters", enableSql = true)],
  durableObjectStorage = (localDisk = "disk"),`
    return `const worker${at} :Workerd.Worker = (
  modules = [${files}],
  bindings = [(name = "METERS", durableObjectNamespace = ${place})],
  ${at === 0 ? own : ''}
  compatibilityDate = "2026-10-20",
);`
  })
  const text = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (services = [${services.join(', ')}, (name = "disk", disk = (path = "${disk}", writable = true))],
  sockets = [${sockets.join(', ')}]);
${workers.join('\n')}
`
  const file = join(folder, 'budget.capnp')
  await writeFile(file, text)
  const command = ['sh', '-c', `echo port=${ports[0]}; exec workerd serve ${file} 2>${join(folder, 'budget.log')}`]
  const { stop } = await start({ name: 'budget', command, core: undefined, port: /port=(\d+)/ })
  // Nobody listens yet, or all is well.
  while (!(await fetch(`http://127.0.0.1:${ports[0]}/none`).catch(() => undefined)))
    await new Promise((again) => setTimeout(again, 20))
  return {
    ports,
    async stop() {
      await stop()
      await rm(disk, { recursive: true })
    },
  }
}
