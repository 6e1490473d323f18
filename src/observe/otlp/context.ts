import type { TraceContext } from '../../core/trace-context.ts'
import type { HeaderReader } from '../../wire/headers.ts'
import type { Random } from '../../wire/ids.ts'
import { withoutKeys } from '../keys.ts'
import type { Sampler } from './sampler.ts'

export interface ContextOptions {
  readonly random: Random
  readonly sampler: Sampler
  /** Whether `traceparent` is read. */
  readonly propagates: boolean
  /** Whether traces are sent on even if they are not sampled. */
  readonly passesOn: boolean
  /** Whether spans are made at all. Without them the client's own span is the one that goes on. */
  readonly makesSpans: boolean
}

interface Parent {
  readonly traceId: string
  readonly spanId: string
  readonly flags: number
}

const sampledFlag = 1
/** Whether the id was made of random bits, which is the business of whoever made it. */
const randomFlag = 2
/** A list of 32 members of 256 characters, more or less: longer ones may be cut off. */
const longestState = 8 * 1024

/** Reads to which trace a request belongs, or begins one. Undefined: to none that anybody is told of. */
export function contexts(options: ContextOptions): (header: HeaderReader) => TraceContext | undefined {
  const { random, sampler, propagates, passesOn, makesSpans } = options
  const nextSpan = spanIds(random)
  return (header) => {
    const parent = propagates ? readParent(header('traceparent')) : undefined
    if (!makesSpans) {
      if (!parent) return undefined
      const { spanId } = parent
      return { ...parent, parentId: spanId, state: readState(header('tracestate')), nextSpan: () => spanId }
    }
    const traceId = parent?.traceId ?? newTraceId(random)
    const isSampled = sampler(traceId, parent && (parent.flags & sampledFlag) === sampledFlag)
    if (!isSampled && !parent && !passesOn) return undefined
    return {
      traceId,
      spanId: nextSpan(),
      parentId: parent?.spanId,
      state: parent && readState(header('tracestate')),
      flags: (isSampled ? sampledFlag : 0) | ((parent?.flags ?? 0) & randomFlag),
      nextSpan,
    }
  }
}

export function isSampled({ flags }: TraceContext): boolean {
  return (flags & sampledFlag) === sampledFlag
}

/** Undefined if there is none that is valid: the trace then begins anew, as if there were none. */
function readParent(header: string | undefined): Parent | undefined {
  if (header === undefined) return undefined
  const parts = /^(?!ff)([\da-f]{2})-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-([\da-f]{2})(-.*)?$/.exec(
    header.trim(),
  )
  const [, version, traceId = '', spanId = '', flags = '', more] = parts ?? []
  // Later versions may have more fields at the end, this one has not.
  if (!parts || (version === '00' && more !== undefined)) return undefined
  return { traceId, spanId, flags: Number.parseInt(flags, 16) }
}

function readState(header: string | undefined): string | undefined {
  if (!header || header.length > longestState || !/^[\x20-\x7e\t]*$/.test(header)) return undefined
  // Collectors keep it, and it is for words of tracing systems.
  return withoutKeys(header) !== header ? undefined : header.trim() || undefined
}

function newTraceId(random: Random): string {
  const id = hexOf(bits(random), bits(random)) + hexOf(bits(random), bits(random))
  return /^0+$/.test(id) ? `1${id.slice(1)}` : id
}

/** A random start and a counter: they need only differ within a trace, and cost a tenth of random ones. */
function spanIds(random: Random): () => string {
  const start = bits(random)
  let count = Math.floor(random() * 2 ** 31)
  return () => {
    // Never 0, as an id of zeros is none.
    count = (count % (2 ** 32 - 1)) + 1
    return hexOf(start, count)
  }
}

/** A whole number of 32 bits. */
function bits(random: Random): number {
  return Math.floor(random() * 2 ** 32)
}

const codes = new TextEncoder().encode('0123456789abcdef')

/** The code of a digit. `shift`: how many bits follow it. */
function digit(number: number, shift: number): number {
  return codes[(number >>> shift) & 15] ?? 0
}

/** Twice 32 bits as sixteen digits. Made at once, as a text that is joined is copied before it is read digit by digit. */
function hexOf(high: number, low: number): string {
  // biome-ignore format: as digits lie
  return String.fromCharCode(
    digit(high, 28), digit(high, 24), digit(high, 20), digit(high, 16),
    digit(high, 12), digit(high, 8), digit(high, 4), digit(high, 0),
    digit(low, 28), digit(low, 24), digit(low, 20), digit(low, 16),
    digit(low, 12), digit(low, 8), digit(low, 4), digit(low, 0),
  )
}
