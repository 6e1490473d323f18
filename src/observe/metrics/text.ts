import { TextBytes } from '../../wire/text-bytes.ts'
import { labelOf } from './kinds.ts'
import type { Metric, Series, Tally } from './metric.ts'

export interface Worded {
  readonly type: string
  /** UTF-8. */
  readonly body: Uint8Array<ArrayBuffer>
}

/** Bytes that are written before others have their turn: a scrape is megabytes, and streams don't wait for it. */
const piece = 64 * 1024

const plain = 'text/plain; version=0.0.4; charset=utf-8'
const open = 'application/openmetrics-text; version=1.0.0; charset=utf-8'

/**
 * Words counts for Prometheus: in its text format, or in OpenMetrics if `accept`, a request's header, asks for that.
 * `pause` lets others have their turn.
 */
export async function wordedFor(
  accept: string | undefined,
  metrics: readonly Metric[],
  tally: Tally,
  pause: () => Promise<void>,
): Promise<Worded> {
  const isOpen = /application\/openmetrics-text/i.test(accept ?? '')
  const written = new TextBytes()
  let next = piece
  for (const text of words(metrics, tally, isOpen)) {
    written.write(text)
    if (written.size < next) continue
    next = written.size + piece
    await pause()
  }
  return { type: isOpen ? open : plain, body: written.bytes }
}

/** A text for each series. */
function* words(metrics: readonly Metric[], tally: Tally, isOpen: boolean): Generator<string> {
  const bySeries = Map.groupBy(tally.series, ({ metric }) => metric)
  for (const metric of metrics) {
    const all = bySeries.get(metric.name)
    if (!all) continue
    const { prometheus, help, type } = metric
    // There the suffix is not a part of the name, but of its samples'.
    const name = isOpen && type === 'counter' ? prometheus.replace(/_total$/, '') : prometheus
    yield `# HELP ${name} ${escapedHelp(help, isOpen)}\n# TYPE ${name} ${type}\n`
    const names = metric.attributes.map(labelOf)
    const bounds = metric.bounds?.map(worded)
    for (const one of all) yield bounds ? buckets(metric, one, tally, names, bounds) : sample(metric, one, tally, names)
  }
  if (isOpen) yield '# EOF\n'
}

function sample({ prometheus }: Metric, { labels, at }: Series, { values }: Tally, names: readonly string[]): string {
  const pairs = pairsOf(names, labels)
  return `${prometheus}${pairs && `{${pairs}}`} ${worded(values[at] ?? 0)}\n`
}

function buckets(
  { prometheus }: Metric,
  { labels, at, width }: Series,
  { values }: Tally,
  names: readonly string[],
  bounds: readonly string[],
): string {
  const pairs = pairsOf(names, labels)
  const before = `${prometheus}_bucket{${pairs}${pairs && ','}le="`
  let count = 0
  let text = ''
  for (let n = 1; n < width; n++) {
    count += values[at + n] ?? 0
    text += `${before}${bounds[n - 1] ?? '+Inf'}"} ${count}\n`
  }
  const after = pairs && `{${pairs}}`
  return `${text}${prometheus}_sum${after} ${worded(values[at] ?? 0)}\n${prometheus}_count${after} ${count}\n`
}

/** Without labels that are empty: to Prometheus that is the same. */
function pairsOf(names: readonly string[], labels: readonly string[]): string {
  let pairs = ''
  for (const [n, name] of names.entries()) {
    const label = labels[n]
    if (label) pairs += `${pairs && ','}${name}="${escaped(label)}"`
  }
  return pairs
}

function escaped(label: string): string {
  return /[\\"\n]/.test(label) ? label.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n') : label
}

function escapedHelp(help: string, isOpen: boolean): string {
  return isOpen ? escaped(help) : help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}

/** A number; JavaScript words all but the infinite ones as Go reads them. */
function worded(value: number): string {
  return String(value)
}
