import { editBody, withModel } from '../wire/body.ts'
import { GatewayError } from '../wire/errors.ts'
import { hopsHeader } from '../wire/headers.ts'
import { chatId, completionId } from '../wire/ids.ts'
import { isObject, type JsonObject, tryParse } from '../wire/json.ts'
import type { Answer, Call, Upstream, UpstreamResponse } from './call.ts'
import type { Deployment } from './catalog.ts'
import type { Clock } from './clock.ts'
import { namesOf, readInBand, readRefusal, withoutSecrets } from './failure.ts'
import { bearer, type OperationSpec, type Provider, type Remedy, type WireContext } from './provider.ts'
import type { Services } from './services.ts'
import { type ByteStream, collect, through } from './stream.ts'

/** Bytes of a whole answer; image-laden ones stay under it. */
const answerLimit = 64 * 1024 * 1024
/** Bytes of a refusal that are read; some go on for ever. */
const refusalLimit = 64 * 1024
/** Milliseconds that its body is waited for. */
const refusalPatience = 10_000

/** Cures of one request: upstreams name one parameter at a time, and some would never be content. */
const mostCures = 4

/** What has been learnt about a deployment by its refusals, for the life of the process. */
interface Lesson {
  readonly remedy: Remedy
  readonly spec?: OperationSpec
}

/** The innermost upstream: an exchange with the deployment of the call's rung, and one more for each cure. */
export function connect(services: Services): Upstream {
  const lessons = new Map<string, Lesson>()

  return async function connected(call) {
    const { deployment } = call.rung
    const { provider } = deployment
    const spec = provider.operations[call.operation]
    if (!spec) {
      throw new GatewayError('wrong_endpoint', `${provider.definition.title} does not serve ${call.operation}.`)
    }
    const key = `${call.operation} ${deployment.label}`
    let lesson = lessons.get(key) ?? { remedy: {} }
    for (let cures = 0; ; cures++) {
      try {
        const answer = await exchange(call, lesson.spec ?? spec, lesson.remedy, services)
        if (cures > 0) lessons.set(key, lesson)
        return answer
      } catch (error) {
        const curable = error instanceof GatewayError && cures < mostCures
        const learnt = curable ? learn(error, lesson, spec, provider) : undefined
        if (!learnt) throw error
        lesson = learnt
      }
    }
  }
}

/** What an error teaches, if it teaches anything new. */
function learn(error: GatewayError, lesson: Lesson, spec: OperationSpec, provider: Provider): Lesson | undefined {
  if (error.kind === 'wrong_endpoint' && spec.otherwise && !lesson.spec) return { ...lesson, spec: spec.otherwise }
  const remedy = provider.definition.heal?.(error)
  if (!remedy) return undefined
  const drop = [...new Set([...(lesson.remedy.drop ?? []), ...(remedy.drop ?? [])])]
  const rename = { ...lesson.remedy.rename, ...remedy.rename }
  const learnt = { ...lesson, remedy: { drop, rename } }
  return JSON.stringify(learnt.remedy) === JSON.stringify(lesson.remedy) ? undefined : learnt
}

async function exchange(call: Call, spec: OperationSpec, remedy: Remedy, services: Services): Promise<Answer> {
  const { deployment } = call.rung
  const { provider } = deployment
  const context = new Exchange(call, services, remedy)
  if (provider.definition.serve) {
    return await provider.definition.serve({
      operation: call.operation,
      body: context.body,
      stream: call.body.stream,
      label: deployment.label,
      context,
      signal: call.signal,
      clock: services.clock,
      asset: services.asset,
    })
  }
  const { settings, definition } = provider
  const response = await services.transport(
    {
      method: 'POST',
      url: definition.url?.(settings, spec.path, deployment.model) ?? settings.baseURL + spec.path,
      headers: requestHeaders(call, provider),
      body: requestBody(call, spec, context, remedy),
    },
    call.signal,
  )
  if (response.status < 200 || response.status > 299) throw await refused(response, call, services)
  return call.body.stream
    ? await streamed(response, spec, context, { call, clock: services.clock })
    : await whole(response, spec, context, call)
}

/**
 * What a translation may know of one exchange. Most pass bytes and never look: the object and the id are made when
 * somebody asks. A class, since an object literal with getters makes V8 keep a hidden class, and with it the whole
 * request, for every one of them until the next full collection.
 */
class Exchange implements WireContext {
  readonly #call: Call
  readonly #remedy: Remedy
  readonly created: number
  readonly random: () => number
  #id: string | undefined

  constructor(call: Call, { clock, random }: Services, remedy: Remedy) {
    this.#call = call
    this.#remedy = remedy
    this.created = Math.floor(clock.now() / 1000)
    this.random = random
  }

  get body(): JsonObject {
    const { deployment } = this.#call.rung
    return remedied({ ...withParams(this.#call.body.json, deployment), model: deployment.model }, this.#remedy)
  }

  get model(): string {
    return this.#call.rung.deployment.model
  }

  get id(): string {
    this.#id ??= this.#call.operation === 'chat' ? chatId(this.random) : completionId(this.random)
    return this.#id
  }
}

function withParams(json: JsonObject, { defaults, overrides }: Deployment): JsonObject {
  return { ...defaults, ...json, ...overrides }
}

function remedied(json: JsonObject, { drop = [], rename = {} }: Remedy): JsonObject {
  const entries = Object.entries(json).filter(([key]) => !drop.includes(key))
  return Object.fromEntries(entries.map(([key, value]) => [Object.hasOwn(rename, key) ? rename[key] : key, value]))
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

function requestBody(call: Call, spec: OperationSpec, context: WireContext, remedy: Remedy) {
  if (spec.encode) return [encoder.encode(JSON.stringify(spec.encode(context)))]
  const { deployment } = call.rung
  const { defaults, overrides, model } = deployment
  if (isPlain(deployment) && isEmpty(remedy)) return withModel(call.body, model)
  const { outline } = call.body
  const set = new Map<string, string>()
  for (const [key, value] of Object.entries(defaults)) {
    if (!Object.hasOwn(outline, key)) set.set(key, JSON.stringify(value))
  }
  for (const [key, value] of Object.entries(overrides)) set.set(key, JSON.stringify(value))
  set.set('model', JSON.stringify(model))
  const drop = new Set(remedy.drop)
  for (const [old, name] of Object.entries(remedy.rename ?? {})) {
    const value = set.get(old) ?? (Object.hasOwn(outline, old) ? JSON.stringify(call.body.json[old]) : undefined)
    drop.add(old)
    set.delete(old)
    if (value !== undefined && !Object.hasOwn(outline, name)) set.set(name, value)
  }
  for (const key of drop) set.delete(key)
  return editBody(call.body, { set, drop })
}

function requestHeaders(call: Call, { definition, settings, callersKey, name }: Provider): Record<string, string> {
  if (callersKey && call.bearer === undefined) {
    throw new GatewayError('unauthorized', `The model is served by ${name} with your own API key, and you sent none.`, {
      code: null,
    })
  }
  const own = callersKey ? { ...settings, apiKey: call.bearer } : settings
  return {
    'content-type': 'application/json',
    accept: call.body.stream ? 'text/event-stream, application/x-ndjson' : 'application/json',
    'user-agent': 'samewire',
    [hopsHeader]: String(call.hops + 1),
    ...(definition.headers ?? bearer)(own),
    ...settings.headers,
  }
}

const isEmpty = (object: object) => {
  for (const _ in object) return false
  return true
}

const isPlain = ({ defaults, overrides }: Deployment) => isEmpty(defaults) && isEmpty(overrides)

async function refused(response: UpstreamResponse, call: Call, { clock }: Services): Promise<GatewayError> {
  const { status, headers } = response
  const body = withoutSecrets(await opening(response.body, clock), [call.bearer])
  return readRefusal({ status, headers, body, ...namesOf(call), now: clock.now() }, call.rung.deployment.provider)
}

/** The start of a body as text. One that breaks on the way, or doesn't come, has said enough with its status. */
function opening(stream: ByteStream, clock: Clock): Promise<string> {
  return new Promise((resolve) => {
    const decoder = new TextDecoder()
    let text = ''
    const stop = () => {
      cancel()
      stream.cancel('enough was read')
      resolve(text)
    }
    const cancel = clock.after(refusalPatience, stop)
    const finish = () => {
      cancel()
      resolve(text)
    }
    stream.pipe({
      chunk(bytes) {
        text += decoder.decode(bytes, { stream: true })
        if (text.length >= refusalLimit) stop()
      },
      end: finish,
      fail: finish,
    })
  })
}

async function whole(
  response: UpstreamResponse,
  spec: OperationSpec,
  context: WireContext,
  call: Call,
): Promise<Answer> {
  const { provider } = call.rung.deployment
  const bytes = await collect(response.body, answerLimit, () =>
    protocolError(provider, `sent an answer of more than ${answerLimit} bytes`),
  )
  const json = tryParse(decoder.decode(bytes))
  if (!isObject(json))
    throw protocolError(provider, bytes.length === 0 ? 'sent an empty answer' : 'sent no JSON object')
  if (json.error) throw readInBand(json.error, call)
  const answer = spec.decode ? spec.decode(json, context) : json
  if (!Array.isArray(answer.choices)) throw protocolError(provider, 'sent an answer without choices')
  return {
    status: 200,
    headers: { ...passedHeaders(response.headers), 'content-type': 'application/json' },
    body: spec.decode ? encoder.encode(JSON.stringify(answer)) : bytes,
  }
}

async function streamed(
  response: UpstreamResponse,
  spec: OperationSpec,
  context: WireContext,
  { call, clock }: { call: Call; clock: Clock },
): Promise<Answer> {
  const { provider } = call.rung.deployment
  const type = response.headers['content-type'] ?? ''
  if (/^text\/html/i.test(type) || (!spec.streamType && type !== '' && !/^text\/event-stream/i.test(type))) {
    const said = tryParse(await opening(response.body, clock))
    if (isObject(said) && said.error) throw readInBand(said.error, call)
    throw protocolError(provider, `answered a stream request with ${type.split(';')[0]}`)
  }
  return {
    status: 200,
    headers: { ...passedHeaders(response.headers), 'content-type': 'text/event-stream; charset=utf-8' },
    body: spec.stream ? through(response.body, spec.stream(context)) : response.body,
  }
}

/** What an upstream's headers tell the client about its own limits and processing; nothing else comes through. */
function passedHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const passed: Record<string, string> = {}
  for (const name in headers) {
    const value = headers[name]
    if (value === undefined) continue
    if (name.startsWith('x-ratelimit-') || name === 'openai-organization') passed[name] = value
    else if (name === 'x-request-id') passed['x-samewire-upstream-request-id'] = value
  }
  return passed
}

function protocolError({ name }: Provider, what: string): GatewayError {
  return new GatewayError('protocol', `${name} ${what}.`)
}
