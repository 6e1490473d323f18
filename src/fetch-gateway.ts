import { assemble, type Parts } from './assemble.ts'
import { systemClock } from './core/clock.ts'
import type { Services } from './core/services.ts'
import { printable } from './log.ts'
import type { LogOutput } from './observe/observing.ts'
import { createFetchDownload } from './runtime/fetch-download.ts'
import { fetchEdge } from './runtime/fetch-edge.ts'
import { createFetchDial, hasSockets } from './runtime/fetch-sockets.ts'
import { createFetchTransport } from './runtime/fetch-transport.ts'

export interface FetchGatewayParts
  extends Pick<
      Parts<object>,
      'config' | 'source' | 'registry' | 'env' | 'withoutKeys' | 'cacheHost' | 'accounting' | 'state' | 'stored'
    >,
    Pick<Services, 'asset'> {
  readonly send: typeof fetch
  readonly output: LogOutput
}

/** Builds a gateway of nothing but `Request`, `Response` and `fetch`. Throws a `ConfigError`. */
export function createFetchGateway({ send, asset, ...parts }: FetchGatewayParts) {
  const { app, notes, log, ready, close } = assemble<object>({
    edge: fetchEdge,
    // A runtime with sockets of this kind is Workers, which drops what goes on between requests.
    background: !hasSockets,
    // It cuts a request off from what belongs to another one, too.
    ...(hasSockets && { cacheHost: async () => (await import('./cache/host.ts')).plainHost(systemClock, false) }),
    ...parts,
    services: {
      transport: createFetchTransport(send),
      // Elsewhere `fetch` opens no WebSockets.
      ...(hasSockets && { dial: createFetchDial(send, systemClock) }),
      clock: systemClock,
      random: Math.random,
      fetch: send,
      download: createFetchDownload(send),
      log: (message) => parts.output.write(printable(message), false),
      asset,
    },
  })
  for (const note of notes) log(note, 'warn')
  // Requests wait for it: until then they would not be observed.
  let loading = ready?.then((more) => {
    for (const note of more) log(note, 'warn')
    loading = undefined
  })
  type Execution = Parameters<typeof app.fetch>[2]
  return {
    fetch(request: Request, bindings: object, execution: Execution): Response | Promise<Response> {
      const answer = () => app.fetch(request, bindings, execution)
      return loading ? loading.then(answer) : answer()
    },
    close,
  }
}
