import type { Pieces } from '../prices/usage.ts'
import type { RequestBody } from '../wire/body.ts'
import type { Capability, GatewayError } from '../wire/errors.ts'
import type { Random } from '../wire/ids.ts'
import type { JsonObject } from '../wire/json.ts'
import type { ServerEvent } from '../wire/sse.ts'
import type { Bounding } from './bounding.ts'
import type { Continuing } from './continuing.ts'
import type { Feature, FeatureUse } from './features.ts'
import type { Late } from './late.ts'
import type { Omission } from './omission.ts'
import type { Remedy } from './remedy.ts'
import type { Renewal } from './renewal.ts'
import type { Repair } from './repair.ts'
import type { Stage } from './stream.ts'
import type { Conclusion, Fault, StreamReader } from './stream-reader.ts'
import type { Requirement, StructureFor } from './structure.ts'
import type { Translation } from './translation.ts'
import type { WireContext } from './wire-context.ts'

export type { Capability }

/** The request's field that asks for a capability, for `param` in errors. */
export const paramOfCapability: Readonly<Record<Capability, string>> = {
  tools: 'tools',
  vision: 'messages',
  audio: 'messages',
  schema: 'response_format',
  dimensions: 'dimensions',
  logprobs: 'logprobs',
}

/** What is known of a model's capabilities. */
export type Supports = Readonly<Partial<Record<Capability, boolean>>>

/**
 * One kind of request to a model, such as chat. The only place that knows what its requests and answers mean: routing,
 * stream checks, and everything that counts or keeps answers ask it.
 */
export interface Operation {
  readonly name: string
  /** OpenAI's own path, without `/v1`; also the path for compatible providers. */
  readonly path: string
  /**
   * OpenAI's paths that clients post to, without `/v1`; `{model}` stands for a model's name, slashes included. None: it
   * is reached in another way.
   */
  readonly routes: readonly string[]
  /** Whether clients may send it as a form with files. Absent: as JSON only. */
  readonly forms?: boolean
  /** The model that OpenAI takes for a request that names none. Absent: a request must name one. */
  readonly usualModel?: string
  /** Whether the client wants a stream; absent: if the field `stream` says so. */
  streams?(body: RequestBody): boolean
  /** Whether its answers may be other than JSON: text, audio. They go on as they come. Absent: they may not. */
  readonly anyType?: boolean
  /** The field with what the model reads, for `param` in errors. Absent: `messages`. */
  readonly prompt?: string
  /** Whether its answers repeat fields of the request that mean nothing to the model. Absent: they don't. */
  readonly echoes?: boolean
  /** An id for an answer whose upstream sends none. Absent: its answers have none. */
  id?(random: Random): string
  /** Throws the 400 that OpenAI returns for an invalid request. */
  check(body: RequestBody): void
  /** The fields of a configuration, which has a chat's names for them, by its own. Absent: they are the same. */
  inOwnNames?(fields: JsonObject): JsonObject
  /** What the request requires of a model. */
  query(body: RequestBody): Demand
  /** Why a whole 2xx body is not a valid answer to the request; undefined if it is valid. */
  fault(answer: JsonObject, context: WireContext): Fault | undefined
  /** The token usage in an answer or a stream's last event, unchanged. Absent: its answers tell of none. */
  usage?(answer: JsonObject): JsonObject | undefined
  /**
   * What is billed by the piece in the answer to a request, as far as that tells, by its fields as a deployment gets them.
   * Absent: nothing.
   */
  pieces?(asked: JsonObject, body: RequestBody): Pieces
  /** What a whole answer says of itself. Absent: nothing that is known. */
  conclusion?(answer: JsonObject): Conclusion
  /** How its requests use the features that an upstream may lack. Absent: they use none. */
  readonly features?: Readonly<Partial<Record<Feature, FeatureUse>>>
  /** What answers may leave out of what is asked for. Absent: nothing. Undefined: nothing that can be told. */
  omission?(asked: JsonObject): Omission | undefined
  /** What its requests can take at most; loaded for the first that is to be bounded. Absent: nobody can tell. */
  readonly bounding?: Late<Bounding>
  /** The images that its requests give by address. Absent: they have none. */
  images?(body: JsonObject): readonly ImageAddress[]
  /**
   * How requests in terms that not all upstreams know are answered by the others; each gets what those before it have
   * made of the request. Absent: they are not.
   */
  readonly renewals?: readonly Renewal[]
  /** How a structured answer is had from an upstream that lacks such features; loaded for the first. Absent: it isn't. */
  readonly structure?: Late<StructureFor>
  /**
   * What an answer must have by the request's fields, unless the configuration's own, which replace them, are about the
   * same. Absent: nothing.
   */
  requirement?(asked: JsonObject, overrides: JsonObject): Requirement | undefined
  /** An answer whose usage is that of an earlier one too. Absent: its answers tell of none. */
  withUsageOf?(answer: JsonObject, earlier: JsonObject): JsonObject
  /**
   * Creates the reader for one stream. `asked`: the request's fields, without the long texts. Absent: the operation has
   * no streams.
   */
  reader?(asked: JsonObject): StreamReader
  /** What breaks a silence of its streams. Absent: a comment. */
  readonly beat?: Beat
  /** How it is served by models that only know another operation. Absent: it isn't. */
  readonly over?: Translation<Operation>
  /** How a stream that breaks off is continued; loaded for the first that may be. Absent: it can't be. */
  readonly continuing?: Late<Continuing>
  /** Puts answers right that some clients could not read; loaded before each exchange. Absent: they pass as they are. */
  readonly repair?: Late<Repair>
  /**
   * A remedy for a request that was refused for what the repair does as well. `sent` makes the upstream's request.
   * Absent: the repair can do nothing that an upstream refuses.
   */
  heal?(error: GatewayError, sent: () => JsonObject, supports: Supports): Remedy | undefined
  /**
   * A refused request without what only another server can read, for one more try. Undefined: that is not why it was
   * refused, or not all of it can be left out. Absent: its requests hold nothing of the kind.
   */
  withoutSealed?(body: RequestBody, refusal: GatewayError): Reduced | undefined
  /** How a request is shared out where an upstream does less at once than is asked for. Absent: it never is. */
  readonly sharing?: Shareable
  /** The whole answer that the chunks of a complete stream amount to. Absent: a stream can't stand in for an answer. */
  toWhole?(chunks: readonly JsonObject[], context: WireContext): JsonObject
  /** The chunks of a stream that says what a whole answer says. Absent: an answer can't stand in for a stream. */
  toStream?(answer: JsonObject, context: WireContext, options: StreamOptions): readonly JsonObject[]
  /**
   * Makes the stream that was asked for of a whole answer of this content type, which is no JSON. Undefined: that is no
   * answer. Absent: none is.
   */
  streamOf?(type: string): Stage | undefined
}

/** What breaks a silence, and says nothing of the answer to any client. */
export interface Beat {
  readonly bytes: Uint8Array
  /** Whether clients pass over comments too. */
  readonly comments: boolean
}

/** A request with less in it. */
export interface Reduced {
  readonly body: RequestBody
  /** What was left out. */
  readonly dropped: string
}

export interface ImageAddress {
  readonly url: string
  /** Where it stands in the request, for `param` in errors. */
  readonly path: string
}

/** What an upstream does in one request at most. Absent: no limit is known. */
export interface AtOnce {
  /** The texts of one request, such as those to embed. */
  readonly inputs?: number
  /** The choices of one answer: `n`. */
  readonly choices?: number
}

/** `lasts`: a limit of the upstream, rather than one that depends on what was in the request. */
export interface Told {
  readonly most: AtOnce
  readonly lasts: boolean
}

export interface Shareable {
  /** The field that asks for so much, for `param` in errors. */
  readonly param: string
  /** Whether a request with these fields may have to be shared out. Absent: any may. */
  concerns?(asked: JsonObject): boolean
  /** Loaded by the first request that may. */
  readonly how: Late<Sharing>
}

/** How one request becomes several to the same deployment, and their answers become one. */
export interface Sharing {
  /** The parts, in order; undefined if the request fits as it is. */
  split(body: RequestBody, most: AtOnce): readonly RequestBody[] | undefined
  /** The answer to `body`, from those to its parts in the same order. The first one is that to `first` parts (1). */
  join(answers: readonly JsonObject[], body: RequestBody, first?: number): JsonObject
  /** Joins the streams of the parts of `body`. Absent: its requests are not shared out if they want a stream. */
  joinStreams?(body: RequestBody): StreamJoiner
  /**
   * What an answer lacks of what `body` asks for, since its upstream does less at once, although it said nothing. Absent:
   * no upstream does less without a word.
   */
  silently?(answer: JsonObject, body: RequestBody): Lack | undefined
  /** Watches a stream for the same. Absent: no stream is less than was asked for. */
  lackingIn?(body: RequestBody): Lacking
  /**
   * What to ask for at once, after an upstream has refused as much as it was asked for, which was `most` or all of it.
   * Absent: no upstream does.
   */
  told?(failure: GatewayError, body: RequestBody, most: AtOnce): Told | undefined
}

/** `most`: what the upstream does at once. `parts`: of the parts for that, how many the answer stands for. */
export interface Lack {
  readonly most: AtOnce
  readonly parts: number
}

/** Watches a stream for what of a request it doesn't answer. */
export interface Lacking {
  see(event: ServerEvent): void
  /** Whether all that was asked for has begun. */
  readonly isWhole: boolean
  /** What the upstream does at once, if it lacks anything. */
  readonly most: AtOnce
  /** The parts, for that much at once, that have not begun. Undefined: they can't be added to what has gone out. */
  missing(): readonly number[] | undefined
}

/** Makes one stream of the events of several, whose parts are counted from 0. */
export interface StreamJoiner {
  /** What goes out instead of an event; undefined: nothing does. */
  event(event: ServerEvent, part: number): Uint8Array | undefined
  /** Takes note of an event of the first part, which goes out as it is. True if it must wait for all parts instead. */
  noted(event: ServerEvent): boolean
  /** What is still to be sent when all parts have ended, the end of the stream included. */
  end(): readonly Uint8Array[]
}

/** The values for an answer whose upstream names none. */
export interface Naming {
  readonly id: string
  readonly created: number
  readonly model: string
  readonly random: Random
}

export interface StreamOptions {
  /** Whether the client wants a last chunk with the usage. */
  readonly usage: boolean
}

export interface Demand {
  readonly needs: ReadonlySet<Capability>
  /** A low estimate of the prompt's length in tokens. */
  readonly tokens: number
  /** Requests with the same one share a prompt that the upstream may have cached. */
  readonly session?: string | undefined
  /** The end user that the client speaks for. */
  readonly user?: string | undefined
}
