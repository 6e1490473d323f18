import type { OperationName } from '../operations/facts.ts'
import type { UsageQuery, UsageSum } from '../state/ledger.ts'
import { dollarsOf } from '../state/money.ts'
import { bucketPage, bucketParameters, costWidths, filters, groupFields, groups, usageWidths } from './buckets.ts'
import { stateOf } from './keys.ts'
import { type Query, readQuery } from './query.ts'
import type { AdminRoute } from './route.ts'

interface UsageKind {
  /** The object of its results; `completions` is `organization.usage.completions.result`. */
  readonly object: string
  readonly operations: readonly OperationName[]
  /** Besides the number of requests. Null: nobody counts it. */
  readonly counts: (sum: UsageSum) => Readonly<Record<string, number | null>>
}

const inputTokens = ({ input }: UsageSum) => ({ input_tokens: input })

const kinds: Readonly<Record<string, UsageKind>> = {
  completions: {
    object: 'completions',
    operations: ['chat', 'completions', 'responses', 'compaction', 'realtime'],
    counts: ({ input, cached, output, reasoning }) => ({
      input_tokens: input,
      input_cached_tokens: cached,
      input_uncached_tokens: input - cached,
      output_tokens: output,
      output_reasoning_tokens: reasoning,
    }),
  },
  embeddings: { object: 'embeddings', operations: ['embeddings'], counts: inputTokens },
  moderations: { object: 'moderations', operations: ['moderations'], counts: inputTokens },
  rerank: { object: 'rerank', operations: ['rerank'], counts: inputTokens },
  images: {
    object: 'images',
    operations: ['images', 'imageEdits', 'imageVariations'],
    counts: () => ({ images: null }),
  },
  audio_speeches: { object: 'audio_speeches', operations: ['speech'], counts: () => ({ characters: null }) },
  audio_transcriptions: {
    object: 'audio_transcriptions',
    operations: ['transcriptions', 'translations'],
    counts: () => ({ seconds: null }),
  },
  // What OpenAI has besides, and the gateway doesn't do: nothing of it was used.
  ...Object.fromEntries(
    ['code_interpreter_sessions', 'file_search_calls', 'vector_stores', 'web_search_calls', 'decisions'].map((name) => [
      name,
      { object: name, operations: [], counts: () => ({}) },
    ]),
  ),
}

export const usageRoutes: readonly AdminRoute[] = [
  ...Object.entries(kinds).map(([name, kind]) => usageRoute(`/organization/usage/${name}`, kind)),
  {
    method: 'GET',
    path: '/organization/costs',
    async answer({ query }, scope) {
      const asked = readQuery(query, [...bucketParameters, ...Object.keys(filters)])
      const shown = { line_item: 'deployment', ...groups } as const
      const result = (sum: UsageSum) => ({
        object: 'organization.costs.result',
        amount: { value: dollarsOf(sum.cost), currency: 'usd' },
        quantity: null,
        quantity_unit: null,
        ...groupFields(sum, shown),
        num_model_requests: sum.requests,
        num_failed_requests: sum.errors,
        num_unpriced_requests: sum.unpriced,
        input_tokens: sum.input,
        output_tokens: sum.output,
      })
      const options = { widths: costWidths, groups: shown, only: onlyIn(asked), result }
      return { body: await bucketPage(asked, await stateOf(scope), options) }
    },
  },
]

function usageRoute(path: string, { object, operations, counts }: UsageKind): AdminRoute {
  const result = (sum: UsageSum) => ({
    object: `organization.usage.${object}.result`,
    ...counts(sum),
    num_model_requests: sum.requests,
    num_failed_requests: sum.errors,
    ...groupFields(sum, groups),
    batch: null,
    service_tier: null,
  })
  return {
    method: 'GET',
    path,
    async answer({ query }, scope) {
      const asked = readQuery(query, [...bucketParameters, ...Object.keys(filters), 'batch'])
      const isCounted = operations.length > 0 && asked.flag('batch') !== true
      const only = { ...onlyIn(asked), operation: operations }
      const options = { widths: usageWidths, groups, only, result: isCounted ? result : undefined }
      return { body: await bucketPage(asked, await stateOf(scope), options) }
    },
  }
}

function onlyIn(query: Query): UsageQuery['only'] {
  return Object.fromEntries(
    Object.entries(filters).flatMap(([name, group]) => {
      const wanted = query.list(name)
      return wanted.length === 0 ? [] : [[group, wanted]]
    }),
  )
}
