import { env } from 'cloudflare:workers'
import { subjects } from '../contract/subjects.ts'
import { type Runtime, testProvider, testQuirks } from '../contract/suite.ts'
import { edgeGateway } from './edge-gateway.ts'

/** The Worker's own transport and edge, against the upstream that runs beside it in Node. */
const workerd: Runtime = {
  upstream: env.UPSTREAM,
  open: async (config, environment) => ({ ...edgeGateway(config, environment), close: async () => {} }),
}

for (const subject of subjects) {
  testProvider(subject, workerd)
  testQuirks(subject, workerd)
}
