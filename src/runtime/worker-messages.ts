import type { Tally } from '../observe/metrics/metric.ts'

/**
 * A message to a worker. `connection` comes with the socket; `reload`: another job takes the place of its own; with
 * `stop`, whether others take its place; `answer`: to a question of its own; `count` asks for what it has counted, and
 * `counted` answers its own question for what all have; `dead`: another one, which may have left something in a store.
 */
export type Order<Job> =
  | { readonly kind: 'start'; readonly job: Job }
  | { readonly kind: 'reload'; readonly job: Job }
  | { readonly kind: 'connection' }
  | { readonly kind: 'stop'; readonly replaced: boolean }
  | { readonly kind: 'answer'; readonly id: number; readonly value?: unknown; readonly failure?: string }
  | { readonly kind: 'count'; readonly round: number }
  | { readonly kind: 'counted'; readonly id: number; readonly sum: Tally }
  | { readonly kind: 'dead'; readonly owner: string }

/**
 * A message from a worker: it can take connections; it took one; it can't start; it wants no more connections; it has
 * another job now, or can't have it; it asks its parent; it tells what it has counted, asked or not; it asks what all
 * have. `version` says which job it has, and `owner` by which name a store knows it, if one does.
 */
export type Report =
  | { readonly kind: 'ready'; readonly version?: string; readonly owner?: string | undefined }
  | { readonly kind: 'taken' }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'leaving' }
  | { readonly kind: 'reloaded'; readonly version: string; readonly owner?: string | undefined }
  | { readonly kind: 'unfit'; readonly message: string }
  | { readonly kind: 'ask'; readonly id: number; readonly question: unknown }
  | { readonly kind: 'counts'; readonly tally: Tally; readonly round?: number }
  | { readonly kind: 'scrape'; readonly id: number }
