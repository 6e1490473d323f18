import type { Environment } from '../config/providers.ts'
import { drainOf } from '../runtime/draining.ts'
import { listen } from '../runtime/listening.ts'
import { createNodeServer } from '../runtime/node-server.ts'
import { serveSockets } from '../runtime/node-sockets.ts'
import { urlOf } from '../start-text.ts'
import type { Arguments } from './arguments.ts'
import { build, type Job } from './build.ts'
import { whenTold } from './signals.ts'

/** Serves in this process until a signal arrives. Calls `told` when one does. */
export async function serveAlone(
  job: Job,
  { host, port, grace }: Arguments,
  env: Environment,
  told: () => void,
): Promise<void> {
  const { app, sockets, gateway, notes, announce, services, transport, running } = build(job, env)
  for (const note of notes) services.log(note)
  const server = createNodeServer(app.fetch as Parameters<typeof createNodeServer>[0], services.random)
  serveSockets(server, { ...services, open: sockets, running })
  const drain = drainOf(server, services.clock)
  const end = () => void transport.close().finally(() => process.exit(0))
  const stop = () => {
    told()
    void drain({ grace, breakOff: (busy) => running.breakOff(busy), replaced: false }).then(end)
  }
  whenTold(stop, end)
  const actual = await listen(server, host, port)
  await gateway.knowledge.refresh()
  announce(urlOf(host, actual))
}
