import { operatorOptions } from './address.ts'
import { asJSON, type Command, type Given, json, Misuse, printableLines, type Surroundings } from './command.ts'
import { dollars } from './key-text.ts'
import { askAsOperator } from './running.ts'
import { tableLines } from './table.ts'

/** What a table can be grouped by, and the gateway's word for it. */
const groups: Readonly<Record<string, string>> = {
  key: 'api_key_id',
  model: 'model',
  deployment: 'deployment',
  project: 'project_id',
  user: 'user_id',
  'end-user': 'end_user',
  operation: 'operation',
}

const formats: Readonly<Record<string, string>> = { ndjson: 'application/x-ndjson', csv: 'text/csv' }
/** Rows of the ledger that are read at once. */
const rowsAtOnce = 5000
/** Days that the gateway sums up at once. */
const daysAtOnce = 180
const day = 24 * 60 * 60

export const usage: Command = {
  name: 'usage',
  summary: 'Says what clients have used and what it has cost.',
  description: 'Days are by UTC. With --export it prints each request instead, from the newest on.',
  options: [
    { syntax: '--days <N>', text: 'How many days, today included. Default: 7.' },
    { syntax: '--by <GROUPS>', text: `Sums for each ${Object.keys(groups).join(', ')}; with commas between them.` },
    { syntax: '--export <FORMAT>', text: 'Prints the rows of the ledger.', values: Object.keys(formats) },
    asJSON,
    ...operatorOptions,
  ],
  examples: [
    'samewire usage',
    'samewire usage --days 30 --by key,model',
    'samewire usage --json --days 1',
    'samewire usage --export csv > requests.csv',
  ],
  async run(given, surroundings) {
    const { export: format } = given.values
    if (format !== undefined) return await exportRows(formats[format] ?? '', given, surroundings)
    const names = (given.values.by?.split(',') ?? []).map((name) => name.trim())
    const unknown = names.find((name) => !Object.hasOwn(groups, name))
    if (unknown !== undefined) throw new Misuse(`--by: ${unknown} is none of ${Object.keys(groups).join(', ')}`)
    const sums = await readSums(
      daysOf(given),
      names.flatMap((name) => groups[name] ?? []),
      given,
      surroundings,
    )
    if (given.flags.has('json')) surroundings.output.write(json(sums))
    else if (sums.length === 0) surroundings.errors.write('Nothing was used.\n')
    else surroundings.output.write(`${tableLines(columnsOf(names), withTotal(sums)).join('\n')}\n`)
    return 0
  },
}

/** The sum of a day and a group. */
interface Sum {
  readonly day: string
  readonly num_model_requests: number
  readonly num_failed_requests: number
  readonly num_unpriced_requests: number
  readonly input_tokens: number
  readonly output_tokens: number
  readonly amount: { readonly value: number; readonly currency: string }
  /** By answers that were kept. */
  readonly saved: { readonly value: number; readonly currency: string }
  readonly [group: string]: unknown
}

interface Page {
  readonly data: readonly { readonly start_time: number; readonly results: readonly Omit<Sum, 'day'>[] }[]
  readonly next_page: string | null
}

async function readSums(days: number, by: readonly string[], given: Given, surroundings: Surroundings): Promise<Sum[]> {
  const today = Math.floor(Date.now() / 1000 / day) * day
  const query = new URLSearchParams({
    start_time: String(today - (days - 1) * day),
    limit: String(Math.min(days, daysAtOnce)),
  })
  for (const name of by) query.append('group_by[]', name)
  const sums: Sum[] = []
  for (let page: string | null | undefined; page !== null; ) {
    if (page !== undefined) query.set('page', page)
    const response = await askAsOperator({ path: `/organization/costs?${query}` }, given, surroundings)
    const { data, next_page: next } = (await response.json()) as Page
    for (const { start_time: start, results } of data)
      sums.push(
        ...results.map((result) => ({ day: new Date(start * 1000).toISOString().slice(0, 10), ...result }) as Sum),
      )
    page = next
  }
  return sums
}

function daysOf({ values: { days = '7' } }: Given): number {
  if (/^\d{1,4}$/.test(days) && Number(days) > 0) return Number(days)
  throw new Misuse(`--days: ${days} is no number of days`)
}

function columnsOf(names: readonly string[]): Record<string, (sum: Sum) => string> {
  const shown = names.map((name) => [name, (sum: Sum) => String(sum[groups[name] ?? ''] ?? '')] as const)
  return {
    day: ({ day }) => day,
    ...Object.fromEntries(shown),
    requests: ({ num_model_requests: requests }) => String(requests),
    failed: ({ num_failed_requests: failed }) => (failed === 0 ? '' : String(failed)),
    input: ({ input_tokens: tokens }) => String(tokens),
    output: ({ output_tokens: tokens }) => String(tokens),
    cost: ({ amount }) => dollars(amount.value),
    saved: ({ saved }) => (saved.value === 0 ? '' : dollars(saved.value)),
    'without a price': ({ num_unpriced_requests: requests }) => (requests === 0 ? '' : String(requests)),
  }
}

function withTotal(sums: readonly Sum[]): readonly Sum[] {
  if (sums.length < 2) return sums
  const total = (count: (sum: Sum) => number) => sums.reduce((all, sum) => all + count(sum), 0)
  return [
    ...sums,
    {
      day: 'all',
      num_model_requests: total((sum) => sum.num_model_requests),
      num_failed_requests: total((sum) => sum.num_failed_requests),
      num_unpriced_requests: total((sum) => sum.num_unpriced_requests),
      input_tokens: total((sum) => sum.input_tokens),
      output_tokens: total((sum) => sum.output_tokens),
      amount: { value: total((sum) => sum.amount.value), currency: 'usd' },
      saved: { value: total((sum) => sum.saved.value), currency: 'usd' },
    },
  ]
}

async function exportRows(accept: string, given: Given, surroundings: Surroundings): Promise<number> {
  for (let path: string | undefined = `/requests?limit=${rowsAtOnce}`; path !== undefined; ) {
    const response = await askAsOperator({ path, accept }, given, surroundings)
    const text = await response.text()
    // A terminal would obey some of what clients may write there.
    surroundings.output.write(surroundings.output.isTTY ? printableLines(text) : text)
    path = /^<\/v1(\/[^>]+)>; rel="next"$/.exec(response.headers.get('link') ?? '')?.[1]
  }
  return 0
}
