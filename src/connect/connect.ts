import type { Answer } from '../core/answer.ts'
import type { Call, Layer, Upstream } from '../core/call.ts'
import { namesOf } from '../core/failure.ts'
import { failureWords } from '../core/failure-words.ts'
import type { OperationSpec } from '../core/provider.ts'
import { repairOf } from '../core/repair-of.ts'
import type { Services } from '../core/services.ts'
import { isSocketRequest } from '../wire/body-kinds.ts'
import { GatewayError } from '../wire/errors.ts'
import { ExchangeContext, type Manner } from './context.ts'
import { blamesRemedy, orIncapable } from './heal.ts'
import type { Images } from './images.ts'
import { dropsFor } from './lacks.ts'
import { received } from './received.ts'
import { refused } from './refused.ts'
import { improve, type Learnt, mostRemedies } from './remedies.ts'
import { outgoingOf, sentBody } from './request.ts'
import { servedRequest } from './served.ts'
import { streamed } from './streamed.ts'
import { whole } from './whole.ts'

/**
 * The innermost upstream: one exchange with the deployment of the call's target, and another one for each remedy.
 * `within` wraps each exchange; what it throws may be remedied too. `learnt`: what error responses have taught about each
 * deployment, for the lifetime of the process. `imagesFor`: fetches the images that a request gives by address.
 */
export function connect(
  services: Services,
  within: Layer,
  learnt = new Map<string, Learnt>(),
  imagesFor?: (call: Call) => Promise<Images | undefined>,
): Upstream {
  return async function connected(given) {
    const { deployment } = given.target
    const { provider } = deployment
    const asked = given.routed && provider.routes ? { ...given, body: given.routed } : given
    const declared = provider.operations[given.operation.name]
    if (!declared) {
      throw new GatewayError('wrong_endpoint', `${provider.definition.title} does not serve ${given.operation.path}.`)
    }
    if (!failureWords.value) await failureWords.load()
    const spec = declared.load ? (loaded.get(declared) ?? (await withWire(declared))) : declared
    if (isSocketRequest(asked.body))
      return await (await import('./dialled.ts')).dialled(asked, asked.body, spec, services)
    let call = spec.rephrase ? { ...asked, body: spec.rephrase(asked.body) } : asked
    const images = spec.images === 'data' ? await imagesFor?.(call) : undefined
    const key = learntKey(call.operation.name, deployment.label)
    let before: GatewayError | undefined
    let way = learnt.get(key) ?? { remedy: {} }
    const most = mostRemedies(call)
    for (let remedies = 0; ; remedies++) {
      const { spec: used = spec, remedy } = way
      const drops = dropsFor(call, used, remedy)
      if (drops.length > 0 || call.dropped || call.trace.dropped) {
        call.trace.dropped = [...(call.dropped ?? []), ...drops]
      }
      const manner: Manner = { spec: used, remedy, dropped: drops, images }
      try {
        const answer = await within((inner) => exchange(inner, manner, services))(call)
        if (remedies > 0) learnt.set(key, way)
        return answer
      } catch (error) {
        call.body.release()
        if (!(error instanceof GatewayError)) throw error
        // Code of a provider's own heeds what is left out, and no other remedy.
        if (spec.serve && error.kind !== 'incapable') throw error
        const reduced = remedies < most ? call.operation.withoutSealed?.(call.body, error) : undefined
        if (reduced) {
          call = { ...call, body: reduced.body, dropped: [...(call.dropped ?? []), reduced.dropped] }
          continue
        }
        const sent = () => sentBody(new ExchangeContext(call, services, manner), manner)
        const better = remedies < most && !call.body.spent ? improve(way, error, spec, call, sent) : undefined
        if (!better) {
          const told = before && blamesRemedy(error, remedy, call.body.outline) ? before : error
          throw call.body.spent ? told : orIncapable(told, () => [call.body.outline, sent()], namesOf(call).sent)
        }
        before = error
        way = better.spec?.load ? { ...better, spec: await withWire(better.spec) } : better
      }
    }
  }
}

/** What was loaded, so that only the first request of a process waits for it. */
const loaded = new WeakMap<OperationSpec, OperationSpec>()

async function withWire(spec: OperationSpec): Promise<OperationSpec> {
  const whole = { ...spec, ...(await spec.load?.()) }
  loaded.set(spec, whole)
  return whole
}

export function learntKey(operation: string, label: string): string {
  return `${operation} ${label}`
}

async function exchange(call: Call, manner: Manner, services: Services): Promise<Answer> {
  const { spec } = manner
  const { deployment, limits } = call.target
  const { provider } = deployment
  const context = new ExchangeContext(call, services, manner)
  const repair = repairOf(call)
  // Whatever reads the answer can't wait for it.
  if (repair && !repair.value) await repair.load()
  if (provider.definition.serve) {
    return await provider.definition.serve({
      operation: call.operation.name,
      body: context.body,
      stream: call.streams,
      label: deployment.label,
      context,
      signal: call.signal,
      clock: services.clock,
      asset: services.asset,
    })
  }
  if (spec.serve) return await spec.serve(servedRequest(call, context, services))
  const { settings, definition } = provider
  const path = (call.streams ? spec.streamPath : undefined) ?? spec.path
  const response = await services.transport(
    {
      name: provider.name,
      method: 'POST',
      url: definition.url?.(settings, path, deployment.model) ?? settings.baseURL + path,
      ...outgoingOf(call, context, manner),
      connectTimeout: limits.connectTimeout,
      isPaid: call.trace.admission?.isPaid,
    },
    call.signal,
  )
  if (response.status < 200 || response.status > 299) throw await refused(response, call, services)
  if (call.streams) return await streamed(response, spec, context, call)
  return call.operation.anyType
    ? await received(response, spec, context, call)
    : await whole(response, spec, context, call)
}
