import type { RequestBody } from '../wire/body.ts'
import type { JsonObject } from '../wire/json.ts'
import type { Feature } from './features.ts'

/** How a structured answer is had from an upstream that can't be made to keep to a structure. */
export interface Structure {
  /** The request for a whole answer, with the structure in words. */
  readonly body: RequestBody
  /** The answer with nothing but what was asked for, or what is wrong with it. */
  check(answer: JsonObject): { readonly answer: JsonObject } | { readonly problem: string }
  /** The same request with an answer and what was wrong with it. */
  again(answer: JsonObject, problem: string): RequestBody
}

/** Undefined: the request wants no structure that the upstream lacks. */
export type StructureFor = (body: RequestBody, lacks: readonly Feature[]) => Structure | undefined

/** What whole answers must have by the request, although an upstream may leave it to the model. */
export interface Requirement {
  /** The field that asks for it, for `param` in errors. */
  readonly param: string
  /** What is missing in an answer; undefined if nothing is. */
  problem(answer: JsonObject): string | undefined
  /** The same request with an answer that lacks it, and a reminder. */
  again(body: RequestBody, answer: JsonObject): RequestBody
}
