import { readModel } from './body.ts'
import type { HeaderReader } from './headers.ts'
import { routePath } from './paths.ts'
import { type SocketAsked, SocketRequest } from './socket-request.ts'

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
