import { noParts, type Tokens, tokensOf } from '../core/tokens.ts'
import { type JsonObject, objectAt } from '../wire/json.ts'

/** What is billed by the piece. Whole numbers; absent: none, or none that is known. */
export interface Pieces {
  /** Pictures that were made. */
  readonly images?: number
  /** Of audio that was heard. */
  readonly seconds?: number
  /** Of a text that was spoken. */
  readonly characters?: number
  /** Searches of the web by the provider. */
  readonly searches?: number
}

/** What is billed of one request. */
export interface Usage extends Pieces {
  /** Undefined: none were told of. */
  readonly tokens: Tokens | undefined
  /** The service tier that served it, in the provider's word. Undefined: the standard one. */
  readonly service?: string | undefined
}

/**
 * Reads what an answer tells of its usage; `pieces`: what is known of it otherwise. Undefined if nothing is.
 */
export function usageOf(told: JsonObject | undefined, pieces?: Pieces): Usage | undefined {
  const tokens = told && tokensOf(told)
  const seconds = told?.type === 'duration' && typeof told.seconds === 'number' ? Math.ceil(told.seconds) : 0
  const searches = told && searchesIn(told)
  if (!tokens && !pieces && seconds === 0) return undefined
  const { service_tier: service } = told ?? {}
  return {
    ...pieces,
    ...(seconds > 0 && { seconds }),
    ...(searches !== undefined && { searches }),
    tokens: tokens && pieces?.images ? allDrawn(tokens) : tokens,
    ...(typeof service === 'string' && { service }),
  }
}

/** Anthropic's. */
function searchesIn(told: JsonObject): number | undefined {
  const searches = objectAt(told, 'server_tool_use')?.web_search_requests
  return Number.isSafeInteger(searches) ? (searches as number) : undefined
}

/** What comes of a request for pictures is pictures, unless the answer says otherwise. */
function allDrawn(tokens: Tokens): Tokens {
  if (tokens.parts && tokens.parts.imageOutput > 0) return tokens
  return { ...tokens, parts: { ...(tokens.parts ?? noParts), imageOutput: tokens.output } }
}
