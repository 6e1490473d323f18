import type { RequestRow } from '../state/ledger.ts'
import { invalid } from '../wire/body.ts'
import { GatewayError } from '../wire/errors.ts'
import { csvLine } from './csv.ts'
import { needed, readQuery } from './query.ts'
import { generationObject, requestFields, requestObject } from './request-object.ts'
import type { AdminAnswer, AdminRoute } from './route.ts'
import { countedState } from './state.ts'

/** Rows of a page: unless asked for, and at most. */
const [usual, most] = [100, 1000]
/** The same for an export. */
const [usualExport, mostExport] = [1000, 10_000]

export const requestRoutes: readonly AdminRoute[] = [
  {
    method: 'GET',
    path: '/requests',
    async answer({ query, header }, scope) {
      const asked = readQuery(query, ['after', 'limit', 'api_key_id'])
      const written = exports.find(({ type }) => header('accept')?.includes(type))
      const limit = asked.integer('limit', 1, written ? mostExport : most) ?? (written ? usualExport : usual)
      const after = asked.text('after')
      if (after !== undefined && !isRequestId(after))
        throw invalid("Invalid 'after': expected the `last_id` of the page before.", 'after', 'invalid_value')
      const key = asked.text('api_key_id')
      const { usage } = await countedState(scope)
      const found = await usage.rows({ before: after, key, limit: limit + 1 })
      const rows = found.slice(0, limit)
      const hasMore = found.length > limit
      if (!written) return { body: listOf(rows, hasMore) }
      const next = new URLSearchParams({ ...(key !== undefined && { api_key_id: key }), limit: String(limit) })
      next.set('after', rows.at(-1)?.id ?? '')
      return {
        headers: { 'content-type': written.type, ...(hasMore && { link: `</v1/requests?${next}>; rel="next"` }) },
        body: written.text(rows.map(requestObject), after === undefined),
      }
    },
  },
  {
    method: 'GET',
    path: '/generation',
    forHolders: true,
    async answer({ query, holder }, scope): Promise<AdminAnswer> {
      const id = needed(readQuery(query, ['id']).text('id'), 'id')
      const row = await (await countedState(scope)).usage.row(id)
      if (!row || (holder && row.key !== holder.id)) throw noRequest()
      return { body: { data: generationObject(row) } }
    },
  },
]

function listOf(rows: readonly RequestRow[], hasMore: boolean) {
  const [first, last] = [rows[0]?.id ?? null, rows.at(-1)?.id ?? null]
  return { object: 'list', data: rows.map(requestObject), first_id: first, last_id: last, has_more: hasMore }
}

/** What a page may be written as, for programs that read lines. The pages of an export follow each other. */
const exports = [
  {
    type: 'application/x-ndjson',
    text: (rows: readonly object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join(''),
  },
  {
    type: 'text/csv',
    text(rows: readonly object[], isFirst: boolean) {
      const heads = isFirst ? csvLine(requestFields) : ''
      return heads + rows.map((row) => csvLine(Object.values(row))).join('')
    },
  },
] as const

/** As `requestIds` makes them. */
const isRequestId = (text: string) => /^req_[\da-f]{32}$/.test(text)

/** Says nothing of what was asked for: it may have been a secret. */
function noRequest(): GatewayError {
  const message = 'There is no such request, or it is too old: rows are kept for some time only.'
  return new GatewayError('bad_request', message, { status: 404, code: 'request_not_found', param: 'id' })
}
