import type { Answer } from '../../core/answer.ts'
import { Pump } from '../../core/pump.ts'
import { Abort } from '../../core/signal.ts'
import type { Gateway } from '../../gateway.ts'
import { invalid } from '../../wire/body.ts'
import { asGatewayError, GatewayError } from '../../wire/errors.ts'
import type { JsonObject } from '../../wire/json.ts'
import type { LookUpRoute, Task, TaskRoute } from '../dialect.ts'
import { refuse } from './words.ts'

/** What is about keeping models on a machine: only pulls have a meaning here. */
export const keepingRoutes: readonly (LookUpRoute | TaskRoute)[] = [
  { method: 'POST', path: '/api/pull', anyType: true, perform: pull, refuse },
  unsupported('POST', '/api/create', 'creating models'),
  unsupported('POST', '/api/copy', 'copying models'),
  unsupported('POST', '/api/push', 'pushing models'),
  unsupported('DELETE', '/api/delete', 'deleting models'),
  unsupported('POST', '/api/blobs/{model}', 'uploading blobs'),
]

function unsupported(method: LookUpRoute['method'], path: string, what: string): LookUpRoute {
  return {
    method,
    path,
    anyType: true,
    unread: true,
    async look() {
      throw new GatewayError('bad_request', `${what} is not supported: this gateway keeps no models`)
    },
    refuse,
  }
}

const success = { status: 'success' }

function pull(gateway: Gateway, { body, signal }: Task): Promise<Answer> {
  const name = [body.model, body.name].find((given) => typeof given === 'string' && given !== '')
  if (typeof name !== 'string') throw invalid('invalid model name')
  if (body.stream === false) return gateway.pull(name, signal, () => {}).then(() => whole(success))
  return streamed(gateway, name, signal)
}

function whole(value: JsonObject): Answer {
  return { status: 200, headers: {}, body: encoder.encode(JSON.stringify(value)) }
}

/** Each step is a line. A failure before the first is an answer by itself. */
function streamed(gateway: Gateway, name: string, client: Task['signal']): Promise<Answer> {
  const stop = new Abort()
  client.addEventListener('abort', () => stop.abort(client.reason), { once: true })
  const pump = new Pump({ cancel: (reason) => stop.abort(reason) })
  const tell = (line: JsonObject) => pump.push(encoder.encode(`${JSON.stringify(line)}\n`))
  const headers = { 'content-type': 'application/x-ndjson' }
  const answer: Answer = { status: 200, headers, body: { source: pump, steps: [] } }
  return new Promise((resolve, reject) => {
    let last: JsonObject | undefined
    const begun = (step: JsonObject) => {
      last = step
      tell(step)
      resolve(answer)
    }
    gateway
      .pull(name, stop, begun)
      .then(
        () => {
          if (last?.status !== success.status) begun(success)
        },
        (error) => {
          reject(error)
          tell(refuse(asGatewayError(error)))
        },
      )
      .finally(() => pump.finish())
  })
}

const encoder = new TextEncoder()
