import type { MadeUp } from '../support/exchange.ts'
import type { Target } from './targets.ts'

/** What a route is asked for: the columns of the table. */
export const kinds = ['plain', 'stream', 'tools', 'parallel tools', 'schema', 'reasoning', 'vision', 'errors'] as const
export type Kind = (typeof kinds)[number]

/** One request, and what must come of it. */
export interface Ask {
  /** What it is about, for the note of a failure. */
  readonly about: string
  /** What the upstream answers: a recorded label, or what is made up. A scripted one goes by the request. */
  readonly upstream: string | MadeUp
  /** Without `model`; a text is sent as it is. Absent: a form, or a GET. */
  readonly body?: Readonly<Record<string, unknown>> | string
  /** Without `model`. */
  readonly form?: Readonly<Record<string, string | Blob>>
  /** The content type of a good answer; absent: JSON, or a stream of chunks that ends with `[DONE]`. */
  readonly type?: string
  /** Whether a stream of events with names ends with `[DONE]` too; absent: it doesn't. */
  readonly done?: 'must' | 'may'
  /** Instead of the route's own; `{model}` stands for the model, encoded or with its slash. */
  readonly path?: string
  readonly encoded?: boolean
  /** Instead of the target's, by its provider's name. */
  readonly model?: string
  /** What is wrong with a good answer. Its format is checked by the specification before. */
  readonly check?: (got: Got) => string | undefined
  /** The error that must come instead of an answer. */
  readonly refusal?: Refusal
}

export interface Refusal {
  readonly status: number
  /** Absent: any, or none. */
  readonly code?: string
  readonly param?: string
}

export interface Got {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly streamed: boolean
}

/** What can be asked on one route: the requests of each kind, by target. A kind without any is not its matter. */
export type Cases = Readonly<Partial<Record<Kind, (target: Target) => readonly Ask[] | undefined>>>

export type Cell =
  /** `bare`: without keys that the specification requires though they are null. */
  | { readonly word: 'works'; readonly bare?: true }
  | { readonly word: 'not served' | 'untested' | 'none' }
  | { readonly word: 'refused'; readonly param: string }
  | { readonly word: 'FAILS'; readonly why: string }

/** What one kind amounts to, of what its requests do. They must agree: a half is worse than a refusal. */
export function together(cells: readonly Cell[]): Cell {
  const [first] = cells
  if (!first) return { word: 'untested' }
  const failed = cells.find(({ word }) => word === 'FAILS')
  if (failed) return failed
  if (cells.every(({ word }) => word === 'works')) return cells.find((cell) => 'bare' in cell) ?? first
  const words = [...new Set(cells.map(({ word }) => word))]
  return words.length === 1 ? first : { word: 'FAILS', why: `some of it is ${words.join(', some ')}` }
}
