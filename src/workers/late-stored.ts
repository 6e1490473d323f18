import { once } from '../core/late.ts'
import type { Operation } from '../core/operation.ts'
import type { GatewayRequest } from '../gateway.ts'
import { chat } from '../operations/chat.ts'
import { compaction } from '../operations/compaction.ts'
import { inputTokens } from '../operations/input-tokens.ts'
import { responses } from '../operations/responses.ts'
import type { StoredHost } from '../stored/host.ts'

/** Whatever may be stored, or refer to what is. */
const paths = /^\/(responses|conversations|chat\/completions)(\/|$)/

const operations: ReadonlySet<Operation> = new Set([responses, compaction, inputTokens])

function isAboutStored({ operation, body }: GatewayRequest): boolean {
  return operations.has(operation) || (operation === chat && body.outline.store === true)
}

/** What clients store, loaded by the first request that is about it. */
export function lateStored(load: () => Promise<StoredHost>): StoredHost {
  const host = once(load)
  return {
    open(parts) {
      const { gateway } = parts
      const opened = once(async () => (await host()).open(parts))
      return {
        gateway: {
          ...gateway,
          answer: async (request) =>
            isAboutStored(request) ? await (await opened()).gateway.answer(request) : await gateway.answer(request),
        },
        has: (path) => paths.test(path),
        serve: async (incoming) => await (await opened()).serve(incoming),
      }
    },
    // A request makes what it makes while it lasts.
    idle: async () => {},
    close: async () => {},
  }
}
