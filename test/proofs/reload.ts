import { reloading } from './reloading.ts'

/**
 * `npm run proof:reload`: changes the configuration of a gateway under load, broken files among the changes, and counts
 * requests that were lost, and those that were answered as no configuration said that was in force meanwhile. Exits with
 * 1 if there is one.
 */
const requests = 10_000
const reloads = 20
const runs = [
  { workers: 1, connections: 8 },
  { workers: 1, connections: 32 },
  { workers: 2, connections: 32 },
]

const rows: string[][] = [
  ['workers', 'connections', 'answered', 'streams', 'applied', 'kept', 'lost', 'wrong', 'slowest reload'],
]
for (const run of runs) {
  const { answered, streams, applied, kept, lost, wrong, slowest } = await reloading({ ...run, requests, reloads })
  const counts = [run.workers, run.connections, answered, streams, applied, kept, lost.length, wrong.length]
  rows.push([...counts.map(String), `${slowest.toFixed(0)} ms`])
  for (const failure of [...lost, ...wrong].slice(0, 5)) console.error(failure)
  if (lost.length + wrong.length > 0 || answered !== requests) process.exitCode = 1
}
const widths = rows[0]?.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0))) ?? []
for (const row of rows) console.log(row.map((cell, at) => cell.padStart(widths[at] ?? 0)).join('  '))
