import type { OperationName } from '../operations/facts.ts'
import { dollarsOf } from '../prices/money.ts'
import type { UsageQuery, UsageSum } from '../state/ledger.ts'
import { GatewayError } from '../wire/errors.ts'
import { bucketPage, bucketParameters, costWidths, filters, groupFields, groups, usageWidths } from './buckets.ts'
import { type Query, readQuery } from './query.ts'
import type { AdminRoute } from './route.ts'
import { countedState } from './state.ts'

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
  {
    method: 'GET',
    path: '/organization/usage/{kind}',
    async answer({ parameters: { kind: name = '' }, query }, scope) {
      const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined
      if (!kind) throw unknownKind()
      const asked = readQuery(query, [...bucketParameters, ...Object.keys(filters), 'batch'])
      const isCounted = kind.operations.length > 0 && asked.flag('batch') !== true
      const only = { ...onlyIn(asked), operation: kind.operations }
      const options = { widths: usageWidths, groups, only, result: isCounted ? resultOf(kind) : undefined }
      return { body: await bucketPage(asked, await countedState(scope), options) }
    },
  },
  {
    method: 'GET',
    path: '/organization/costs',
    async answer({ query }, scope) {
      const asked = readQuery(query, [...bucketParameters, ...Object.keys(filters)])
      const shown = { line_item: 'deployment', ...groups } as const
      const result = (sum: UsageSum) => ({
        object: 'organization.costs.result',
        amount: { value: dollarsOf(sum.cost), currency: 'usd' },
        saved: { value: dollarsOf(sum.saved), currency: 'usd' },
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
      return { body: await bucketPage(asked, await countedState(scope), options) }
    },
  },
]

function resultOf({ object, counts }: UsageKind) {
  return (sum: UsageSum) => ({
    object: `organization.usage.${object}.result`,
    ...counts(sum),
    num_model_requests: sum.requests,
    num_failed_requests: sum.errors,
    ...groupFields(sum, groups),
    batch: null,
    service_tier: null,
  })
}

function unknownKind(): GatewayError {
  const message = `There is no such usage: it is of ${Object.keys(kinds).join(', ')}.`
  return new GatewayError('bad_request', message, { status: 404, code: 'unknown_url' })
}

function onlyIn(query: Query): UsageQuery['only'] {
  return Object.fromEntries(
    Object.entries(filters).flatMap(([name, group]) => {
      const wanted = query.list(name)
      return wanted.length === 0 ? [] : [[group, wanted]]
    }),
  )
}
