import { RequestBody, readModel } from './body.ts'
import type { HeaderReader } from './headers.ts'
import { routePath } from './paths.ts'

/** What a client says of a WebSocket that it wants: a request without a body. */
export interface SocketAsked {
  /** The rest of the path, such as `/translations`; usually empty. */
  readonly under: string
  /** The query without the model and without keys, as the client wrote it. */
  readonly query: readonly (readonly [name: string, value: string])[]
  /** Headers for the upstream. */
  readonly headers: Readonly<Record<string, string>>
  /** The organization and the project that the client's own key belongs to, as headers. */
  readonly belongings: Readonly<Record<string, string>>
}

const encoder = new TextEncoder()

/** A request for a WebSocket. Its outline has the model, and the rest is in `asked`. */
export class SocketRequest extends RequestBody {
  readonly asked: SocketAsked
  /** Whether the upstream is told the model: some sessions have none, and are only routed by one. */
  readonly tellsModel: boolean

  constructor(asked: SocketAsked, model: string | undefined, tellsModel = model !== undefined) {
    const outline = model === undefined ? {} : { model }
    super(encoder.encode(JSON.stringify(outline)), outline, model)
    this.asked = asked
    this.tellsModel = tellsModel
  }

  override get kind(): 'socket' {
    return 'socket'
  }

  /** What it is about follows in messages. */
  override get isWhole(): boolean {
    return false
  }

  override named(model: string): SocketRequest {
    return new SocketRequest(this.asked, model, this.tellsModel)
  }
}

/** The beginnings of subprotocols by which browsers, which can set no headers, send what others send in those. */
const keyPrefix = 'openai-insecure-api-key.'
const betaPrefix = 'openai-beta.'
const carried = /^openai-(insecure-api-key|beta|organization|project)\./

/** The header with the subprotocols that a client offers. */
const protocolHeader = 'sec-websocket-protocol'

/** Reads headers, and what stands in for them in the subprotocols and in the query. */
export function socketHeaders(header: HeaderReader, { searchParams }: URL): HeaderReader {
  const offered = protocolsIn(header)
  const after = (prefix: string) => offered.find((name) => name.startsWith(prefix))?.slice(prefix.length)
  return (name) => {
    const value = header(name)
    if (value !== undefined) return value
    if (name === 'authorization') {
      const key = after(keyPrefix)
      return key === undefined ? undefined : `Bearer ${key}`
    }
    // Azure takes it from there too.
    if (name === 'api-key') return searchParams.get('api-key') ?? undefined
    if (name === 'openai-beta') return after(betaPrefix)?.replace(/^realtime-/, 'realtime=')
    return /^openai-(organization|project)$/.test(name) ? after(`${name}.`) : undefined
  }
}

/**
 * The subprotocol to answer with. Browsers give up without one of those that they offered, and the ones that carry keys
 * are not to be repeated.
 */
export function chosenProtocol(header: HeaderReader): string | undefined {
  const offered = protocolsIn(header)
  if (offered.includes('realtime')) return 'realtime'
  return offered.find((name) => !carried.test(name)) ?? offered.find((name) => name.startsWith(betaPrefix))
}

function protocolsIn(header: HeaderReader): readonly string[] {
  return (header(protocolHeader) ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
}

const passedHeaders = ['openai-beta', 'openai-safety-identifier']
const belongingHeaders = ['openai-organization', 'openai-project']
/** Parts of the query that name the model, by OpenAI and by Azure, or belong to the address of the gateway. */
const ownParameters: ReadonlySet<string> = new Set(['model', 'deployment', 'api-version', 'api-key', 'authorization'])

/** The request for a WebSocket at `url`. `header`: see `socketHeaders`. */
export function readSocketRequest({ href, searchParams }: URL, header: HeaderReader): SocketRequest {
  const pick = (names: readonly string[]) =>
    Object.fromEntries(names.flatMap((name) => [[name, header(name)] as const]).filter(isGiven))
  const asked: SocketAsked = {
    under: routePath(href).replace(/^.*\/realtime/, ''),
    query: [...searchParams].filter(([name]) => !ownParameters.has(name.toLowerCase())),
    headers: pick(passedHeaders),
    belongings: pick(belongingHeaders),
  }
  return new SocketRequest(asked, readModel({ model: searchParams.get('model') || searchParams.get('deployment') }))
}

function isGiven(entry: readonly [string, string | undefined]): entry is readonly [string, string] {
  return entry[1] !== undefined
}
