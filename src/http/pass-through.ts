import type { Context } from 'hono'
import { type Forwarded, forward } from '../connect/forward.ts'
import { type Answer, withStep } from '../core/answer.ts'
import type { Catalog } from '../core/catalog.ts'
import { withOwnModel } from '../core/foreign-model.ts'
import { Owners } from '../core/owners.ts'
import type { Provider } from '../core/provider.ts'
import type { Services } from '../core/services.ts'
import type { Trace } from '../core/trace.ts'
import type { Gateway } from '../gateway.ts'
import { type Edge, uploadLimit } from '../runtime/edge.ts'
import { invalid } from '../wire/body.ts'
import { asGatewayError, describeCause, errorEnvelope, GatewayError } from '../wire/errors.ts'
import { type ForeignPath, isAdministrative, isForOthers, readForeignPath } from '../wire/foreign-path.ts'
import { type HeaderReader, isJson, providerHeader, readHops, wireHeaders } from '../wire/headers.ts'
import type { Guard } from './access.ts'
import type { Reports } from './report.ts'

export interface PassThroughOptions<Bindings extends object> {
  readonly gateway: Gateway
  readonly edge: Edge<Bindings>
  readonly guard: Guard
  readonly services: Pick<Services, 'transport' | 'clock' | 'log'>
  readonly nextId: () => string
  readonly reports: Reports
}

/** Bytes of a body or an answer in which the ids of other objects are looked for. */
const searched = 64 * 1024
/** Bytes of a body that is read before it goes on, if its length is known: of JSON, since it may name a model. */
const mostJson = 1024 * 1024

/**
 * Passes on what the gateway doesn't serve itself, untouched: to the provider in the header, to the one that made the
 * object that the request is about, or to the one that the configuration names.
 */
export function createPassThrough<Bindings extends object>(options: PassThroughOptions<Bindings>) {
  const { gateway, edge, guard, services, nextId, reports } = options
  const { catalog } = gateway
  const { clock, log } = services
  const owners = new Owners()

  function providerFor(asked: ForeignPath, header: HeaderReader, body: string): Provider | undefined {
    const named = header(providerHeader)
    const name = named ?? owners.findIn(`${asked.path} ${body}`) ?? catalog.passThrough?.[0]
    if (name === undefined) return undefined
    const provider = catalog.providers.get(name)
    if (!provider || (catalog.passThrough && !catalog.passThrough.includes(name))) {
      const allowed = (catalog.passThrough ?? [...catalog.providers.keys()]).join(', ') || 'none'
      throw invalid(`Invalid '${providerHeader}': such requests go to these providers only: ${allowed}.`)
    }
    if (isAdministrative(asked) && !provider.callersKey) {
      const message = `The gateway manages no organization: it does not pass on /${asked.family} with a key of its own.`
      throw new GatewayError('forbidden', message)
    }
    return provider
  }

  /** Remembers who made what an answer describes, where that can't be told from the configuration. */
  function noted(answer: Answer, { name }: Provider): Answer {
    if (name === catalog.passThrough?.[0] || !/json/.test(answer.headers['content-type'] ?? '')) return answer
    let text = ''
    const decoder = new TextDecoder()
    const see = (bytes: Uint8Array) => {
      if (text.length > searched) return
      text += decoder.decode(bytes, { stream: true })
    }
    const over = () => {
      for (const [, id = ''] of text.matchAll(/"id"\s*:\s*"([\w-]{4,128})"/g)) owners.note(id, name)
    }
    return withStep(answer, { watch: { see }, over, carried: 'watch' })
  }

  /** The answer for a path that nothing else serves; undefined if it isn't passed on either. */
  return function passThrough(context: Context<{ Bindings: Bindings }>): Promise<Response> | undefined {
    const { method, url } = context.req
    const header = edge.headers(context)
    const isWanted = catalog.passThrough ? catalog.passThrough.length > 0 : header(providerHeader) !== undefined
    if (!isWanted) return undefined
    let asked: ForeignPath | undefined
    try {
      asked = readForeignPath(url)
    } catch (thrown) {
      return Promise.resolve(refuse(thrown))
    }
    return asked && run(context, asked, method, header)
  }

  function refuse(thrown: unknown, requestId = nextId(), started = clock.now()): Response {
    const failure = asGatewayError(thrown)
    if (failure.kind === 'internal') log(`${requestId} ${describeCause(failure)}`, 'error')
    const own = wireHeaders(requestId, clock.now() - started)
    const headers = { ...own, 'content-type': 'application/json', ...failure.headers }
    return new Response(JSON.stringify(errorEnvelope(failure)), { status: failure.status, headers })
  }

  async function run(
    context: Context<{ Bindings: Bindings }>,
    asked: ForeignPath,
    method: string,
    header: HeaderReader,
  ): Promise<Response> {
    const requestId = nextId()
    const started = clock.now()
    const trace: Trace = { attempts: [] }
    // What follows names objects of the client's, and the query may hold anything.
    const record = reports({ requestId, method, path: `/${asked.family}/*`, header, started, trace })
    record?.outlasting((work) => edge.afterwards(context, work))
    try {
      const { bearer, key, account } = await guard(header, 'POST')
      if (record) record.key = key
      if (account?.confined !== undefined) throw new GatewayError('forbidden', account.confined)
      const signal = edge.watch(context)
      const hops = readHops(header)
      const rest = method === 'GET' || method === 'HEAD' ? undefined : edge.openBody(context, uploadLimit)
      const isPlainJson = isJson(header('content-type') ?? '') && header('content-encoding') === undefined
      const most = isPlainJson ? mostJson : searched
      const small = rest?.length !== undefined && rest.length <= most
      const body = rest && small ? await rest.source.collect(most, () => undefined) : new Uint8Array()
      const provider = providerFor(asked, header, new TextDecoder().decode(body.subarray(0, searched)))
      if (!provider) throw new Error('without a provider nothing goes on')
      const request: Forwarded = {
        ...{ provider, method, path: asked.path, header, bearer, hops, signal, trace: trace.context },
        body: body.length === 0 ? [] : isPlainJson ? withOwnModel(body, provider, catalog, asked.path) : [body],
        limits: catalog.limits,
        ...(!small && rest && { rest }),
      }
      const forwarded = noted(await forward(request, services), provider)
      const answer = record?.follow(forwarded, signal) ?? forwarded
      const own = wireHeaders(requestId, clock.now() - started)
      const headers = { ...own, ...answer.headers }
      return edge.send(context, { ...answer, headers }, signal)
    } catch (thrown) {
      record?.failed(asGatewayError(thrown))
      return refuse(thrown, requestId, started)
    }
  }
}

/**
 * What would bring a part of OpenAI's API that the gateway doesn't serve; nothing for a path that isn't one, nor where
 * the configuration lets nothing through.
 */
export function hintFor(method: string, url: string, { passThrough }: Catalog): string {
  if (passThrough?.length === 0) return ''
  try {
    const asked = readForeignPath(url)
    if (!asked || !isForOthers(method, asked)) return ''
  } catch {
    return ''
  }
  return (
    '. This gateway passes such requests on to the provider that `passThrough` in its configuration or the header ' +
    `${providerHeader} names`
  )
}
