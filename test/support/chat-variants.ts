/** A chat request as text, whose it is, and what it means: what a model would be told. */
export interface Variant {
  readonly tenant: string
  readonly text: string
  readonly streams: boolean
  readonly usage: boolean
}

/** In [0, 1). */
type Random = () => number

const models = ['lab/m', 'lab/n']
const contents = ['"hi"', '"héllo"', '"h\\u00e9llo"', '"one\\ntwo"', '[{"type":"text","text":"hi"}]', '"\\"seed\\":2"']
/** Fields of a request and values for them, some of which JavaScript's numbers can't tell apart. */
const fields: readonly (readonly [string, readonly string[]])[] = [
  ['seed', ['12345678901234567890', '12345678901234567891', '9007199254740992', '9007199254740993', '1', '1.0', '1e0']],
  ['temperature', ['0', '0.0', '1', '0.1', '0.10000000000000000000000000001']],
  ['stop', ['"a"', '["a"]', '["a", "b"]', '["a","b"]']],
  ['max_tokens', ['10', '11']],
  ['logit_bias', ['{"1":2,"1":3}', '{"1":3}', '{"1": 3}']],
  ['x_unknown', ['null', 'false', '"seed"', '{"seed":1}', '{}']],
]

/** Random requests of which many are the same, or nearly. `tenants`: who asks. */
export function variantOf(random: Random, tenants: readonly string[]): Variant {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
  const tenant = pick(tenants)
  const streams = random() < 0.5
  const usage = streams && random() < 0.5
  const members = [
    ['model', `"${pick(models)}"`],
    ['messages', `[{"role":"user","content":${pick(contents)}}]`],
    ...fields.filter(() => random() < 0.12).map(([name, values]) => [name, pick(values)]),
    ...(random() < 0.05 ? [['seed', '1']] : []),
    // Not part of what a model is told. It says whose request its upstream got.
    ['user', `"${tenant}"`],
    ...(random() < 0.5 ? [['metadata', `{"n":"${Math.floor(random() * 1e6)}"}`]] : []),
    ...(streams ? [['stream', 'true']] : random() < 0.5 ? [['stream', 'false']] : []),
    ...(usage ? [['stream_options', '{"include_usage":true}']] : []),
  ]
  const space = () => pick(['', '', ' ', '\n  '])
  const order = members.map((member) => [random(), member] as const).sort(([a], [b]) => a - b)
  const parts = order.map(([, [name, value]]) => `${space()}"${name}"${space()}:${space()}${value}${space()}`)
  return { tenant, text: `{${parts.join(',')}}`, streams, usage }
}

const aside = new Set(['user', 'metadata', 'stream', 'stream_options'])

/**
 * What a model is told by a request, read by JavaScript's own parser, which gives the numbers as they are written. The
 * last of two fields with the same name counts, and a model's name is that of its upstream.
 */
export function meaningOf(text: string): string {
  const parsed = JSON.parse(text, reviver as (key: string, value: unknown) => unknown) as Record<string, unknown>
  const told = Object.entries(parsed).filter(([name]) => !aside.has(name))
  return JSON.stringify(told.sort(([a], [b]) => (a < b ? -1 : 1)))
}

function reviver(key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (key === 'model') return String(value).replace('lab/', '')
  return typeof value === 'number' ? `number ${context?.source}` : value
}
