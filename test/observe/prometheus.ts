/** One sample of a scrape. */
export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface Family {
  readonly type: string
  readonly help: string
  readonly samples: readonly Sample[]
}

const suffixes: Readonly<Record<string, readonly string[]>> = {
  counter: [''],
  gauge: [''],
  histogram: ['_bucket', '_sum', '_count'],
}

/** Reads Prometheus's text format 0.0.4, and throws at whatever it doesn't allow or a scrape shouldn't have. */
export function parseMetrics(text: string): Map<string, Family> {
  if (!text.endsWith('\n')) throw new Error('the last line has no end')
  const families = new Map<string, { type: string; help: string; samples: Sample[] }>()
  const helps = new Map<string, string>()
  const seen = new Set<string>()
  let name = ''
  for (const line of text.slice(0, -1).split('\n')) {
    const comment = /^# (HELP|TYPE) ([a-zA-Z_:][\w:]*) (.+)$/.exec(line)
    if (comment) {
      const [, kind, about = '', rest = ''] = comment
      if (kind === 'HELP') {
        if (helps.has(about)) throw new Error(`HELP twice: ${about}`)
        helps.set(about, rest)
      } else {
        if (families.has(about)) throw new Error(`TYPE twice: ${about}`)
        if (!suffixes[rest]) throw new Error(`unknown type: ${line}`)
        families.set(about, { type: rest, help: helps.get(about) ?? '', samples: [] })
        name = about
      }
      continue
    }
    const sample = readSample(line)
    const family = families.get(name)
    // All samples of a family stand together, below its type.
    if (!family || !suffixes[family.type]?.some((suffix) => sample.name === name + suffix)) {
      throw new Error(`out of place: ${line}`)
    }
    const identity = line.slice(0, line.lastIndexOf(' '))
    if (seen.has(identity)) throw new Error(`twice: ${identity}`)
    seen.add(identity)
    family.samples.push(sample)
  }
  for (const [about, family] of families) if (family.type === 'histogram') checkBuckets(about, family)
  return families
}

function readSample(line: string): Sample {
  const [, name = '', inner = '', value = ''] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
  if (name === '') throw new Error(`no sample: ${line}`)
  const labels: Record<string, string> = {}
  let rest = inner
  while (rest !== '') {
    const pair = /^([a-zA-Z_]\w*)="((?:[^"\\]|\\["\\n])*)"(,(?=.)|$)/.exec(rest)
    if (!pair) throw new Error(`no label: ${line}`)
    const [all, label = '', text = ''] = pair
    if (label in labels) throw new Error(`a label twice: ${line}`)
    labels[label] = text.replace(/\\(.)/g, (_, sign: string) => (sign === 'n' ? '\n' : sign))
    rest = rest.slice(all.length)
  }
  if (!/^[+-]?(\d+(\.\d+)?(e[+-]?\d+)?|Inf)$/.test(value)) throw new Error(`no number: ${line}`)
  return { name, labels, value: Number(value.replace('Inf', 'Infinity')) }
}

function checkBuckets(name: string, { samples }: Family): void {
  const bySeries = Map.groupBy(samples, ({ labels: { le, ...labels } }) => JSON.stringify(labels))
  for (const [labels, series] of bySeries) {
    const buckets = series.filter((sample) => sample.name === `${name}_bucket`)
    const bounds = buckets.map(({ labels: { le = '' } }) => Number(le.replace('Inf', 'Infinity')))
    const counts = buckets.map(({ value }) => value)
    const rises = (values: readonly number[]) => values.every((value, n) => n === 0 || value >= (values[n - 1] ?? 0))
    if (!rises(bounds) || !rises(counts)) throw new Error(`buckets of ${name}${labels} fall`)
    const count = series.find((sample) => sample.name === `${name}_count`)?.value
    if (bounds.at(-1) !== Number.POSITIVE_INFINITY || counts.at(-1) !== count) {
      throw new Error(`the buckets of ${name}${labels} are not all of it`)
    }
    if (!series.some((sample) => sample.name === `${name}_sum`)) throw new Error(`${name}${labels} has no sum`)
  }
}

/** The sum of all samples with this name and these labels. */
export function sumOf(
  families: ReadonlyMap<string, Family>,
  name: string,
  labels: Record<string, string> = {},
): number {
  let sum = 0
  for (const { samples } of families.values()) {
    for (const sample of samples) {
      const fits = Object.entries(labels).every(([label, value]) => (sample.labels[label] ?? '') === value)
      if (sample.name === name && fits) sum += sample.value
    }
  }
  return sum
}
