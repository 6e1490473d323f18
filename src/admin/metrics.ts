import { GatewayError } from '../wire/errors.ts'
import type { AdminRoute } from './route.ts'

export const metricsRoutes: readonly AdminRoute[] = [
  {
    method: 'GET',
    path: '/metrics',
    async answer({ header }, { scrape }) {
      if (!scrape) throw new GatewayError('bad_request', off, { status: 404, code: 'unknown_url' })
      const { type, body } = await scrape(header('accept'))
      return { headers: { 'content-type': type }, body }
    },
  },
]

const off =
  'This gateway has no metrics. On Node, set SAMEWIRE_METRICS=true, or `metrics: true` in the configuration. On Workers ' +
  'there are none, since isolates share no memory: use the lines of the log.'
