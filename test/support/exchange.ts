/**
 * An exchange with an upstream, described by a path: a test in workerd, which can't run a server, puts into its base
 * URL what the server in Node must answer. Used on both sides, so it imports nothing.
 */
export interface Exchange {
  /** A recorded answer by server and label, or a made-up one. */
  readonly answer: readonly [server: string, label: string] | MadeUp
  readonly delivery?: Delivery
}

export interface MadeUp {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string
}

export interface Delivery {
  /** Where to split the bytes into writes: after every byte, or at random places that depend on the seed. */
  readonly cut?: 'every byte' | number
  /** Changes to a stream that readers must ignore. */
  readonly lineEnds?: 'CRLF'
  readonly between?: 'comments'
  readonly first?: 'null'
  readonly done?: 'missing' | 'without a blank line'
  /** What happens after that many bytes, instead of the rest: `drip` goes on with comments as long as somebody is there. */
  readonly after?: { readonly bytes: number; readonly what: 'break' | 'end' | 'wait' | 'drip' }
  /** The tag by which `GET /seen/{tag}` finds the requests of one test. */
  readonly tag?: string
}

export function exchangePath({ answer, delivery = {} }: Exchange): string {
  const [first, second] = 'status' in answer ? ['made-up', encode(answer)] : answer
  return `/${first}/${second}/as-${encode(delivery)}`
}

/** The exchange at the start of a path, and the rest of the path. */
export function parseExchange(path: string): { exchange: Exchange; rest: string } {
  const [, first = '', second = '', third = '', ...rest] = path.split('/')
  const answer: Exchange['answer'] = first === 'made-up' ? (decode(second) as MadeUp) : [first, second]
  const seed = /^cut-(\d+)$/.exec(third)?.[1]
  if (seed) return { exchange: { answer, delivery: { cut: Number(seed) } }, rest: `/${rest.join('/')}` }
  if (!third.startsWith('as-')) return { exchange: { answer }, rest: `/${[third, ...rest].join('/')}` }
  return { exchange: { answer, delivery: decode(third.slice(3)) as Delivery }, rest: `/${rest.join('/')}` }
}

function encode(value: unknown): string {
  const bytes = new TextEncoder().encode(JSON.stringify(value))
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
}

function decode(text: string): unknown {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
  return JSON.parse(new TextDecoder().decode(Uint8Array.from(binary, (character) => character.charCodeAt(0))))
}
