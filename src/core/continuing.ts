import type { JsonObject } from '../wire/json.ts'

/** How a server is made to go on with a text, instead of answering to it or beginning anew. */
export interface Continuation {
  /** Sent with the request. */
  readonly fields?: JsonObject
  /**
   * Whether white space at the ends of the text may get lost, as in chat templates that trim messages. What ends the
   * text is then not sent, and the server has to write it again.
   */
  readonly trims?: boolean
}

/** Keyed by operation name. */
export type Continuations = Readonly<Partial<Record<string, Continuation>>>

/** The start of an answer that is to be continued. */
export interface Begun {
  readonly text: string
  /** How many tokens the text has, as far as the events tell that it came in. */
  readonly tokens: number
  /** What makes the server go on with it. */
  readonly fields: JsonObject
}

/** How an operation's answer is continued if its stream breaks off. Only texts can be: tool calls, for one, can't. */
export interface Continuing {
  /** The word for what keeps an answer from being continued where `begun` ends, mostly a field; undefined if nothing. */
  obstacle(body: JsonObject, begun: Begun): string | undefined
  /** The request for the rest. */
  request(body: JsonObject, begun: Begun): JsonObject
  /** The text of one choice of a chunk; undefined if there is more than text. */
  text(choice: JsonObject): string | undefined
  /** A choice of the rest with another text, and without what only the first chunk of an answer says. */
  withText(choice: JsonObject, text: string): JsonObject
}
