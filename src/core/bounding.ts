import type { Pieces } from '../prices/usage.ts'
import type { TokenKind } from '../prices/worst.ts'
import type { RequestBody } from '../wire/body.ts'
import type { JsonObject } from '../wire/json.ts'
import type { Stage } from './stream.ts'

/** How much may be written in answer to a request. */
export interface Output {
  /** The most tokens of one answer, if the request says so; undefined: it doesn't. */
  readonly tokens: number | undefined
  /** How many answers it asks for at once. */
  readonly answers: number
  /** Tokens beside those of answers that are billed as if they were written: of a prediction that was wrong. Absent: none. */
  readonly beside?: number
  /** How many requests it becomes where a server gives one answer at once. Absent: as many as there are answers. */
  readonly exchanges?: number
  /** Whether it asks for pictures among the words of one answer. */
  readonly draws?: boolean
}

/** Something in a request whose tokens nobody can bound beforehand. */
export interface Unbounded {
  /** In words: `the tool web_search`. */
  readonly what: string
  /** Its field, for `param` in errors. */
  readonly param: string
  /** All of it, if each takes no more tokens than is known. Absent: nothing bounds it. */
  readonly unseen?: Unseen
}

/** What a request's bytes don't bound. */
export interface Unseen {
  /** Of which a deployment's `fileTokens` says how many tokens each takes. */
  readonly files: number
  /** How many characters of the request they are. */
  readonly fileCharacters: number
  /** Parts of earlier answers that the provider keeps: none has more tokens than an answer may have. */
  readonly answers: number
  /** Where a server sees them: it reads none of their characters. */
  readonly pictures: number
  readonly pictureCharacters: number
}

/** How many pictures a request has, and how many of its characters are those that are given as data. */
export interface Pictures {
  readonly count: number
  readonly characters: number
}

/** What a request can take at most, in the terms of its operation. */
export interface Bounding {
  /** By the request's fields, without long texts. */
  output(asked: JsonObject, body: RequestBody): Output
  /** The request with such a limit for each answer. Absent: its answers have no tokens of their own. */
  limited?(body: RequestBody, tokens: number): RequestBody
  /** The most tokens that it has by itself. Absent: its bytes, of which no tokenizer makes more tokens. */
  input?(body: RequestBody): number
  /** Kinds of tokens, billed apart, that neither it nor its answer has. Absent: it may have any. */
  without?(asked: JsonObject): ReadonlySet<TokenKind>
  /** The most of what is billed by the piece. Absent: nothing is. */
  pieces?(asked: JsonObject, body: RequestBody): Pieces
  /** Parts of which the bytes say nothing: images, recordings and files. Absent: there are none. */
  media?(asked: JsonObject): number
  /** Of these, the pictures: a server sees them, and reads none of their characters. Absent: nobody can tell. */
  pictures?(asked: JsonObject): Pictures
  /**
   * The first thing without a bound; undefined: all has one. `isNative`: whether a server may get the request as it is,
   * which may keep what was said before. Absent: all always has.
   */
  unbounded?(asked: JsonObject, body: RequestBody, isNative: () => boolean): Unbounded | undefined
  /**
   * The first field of a client's of which nobody knows what it may cost. `body`: the request, if these are all its fields;
   * absent: they are what it says for one model. Absent: none costs anything that isn't bounded.
   */
  outside?(asked: JsonObject, body?: RequestBody): Unbounded | undefined
  /** The request with the wish for the tokens in its stream; undefined: it is there, or needn't be. Absent: it never needs. */
  askingUsage?(body: RequestBody): RequestBody | undefined
  /** Takes out of a stream what nobody but the gateway has asked for. */
  withoutUsage?(): Stage
}
