import type { Answer } from '../core/answer.ts'
import type { Call } from '../core/call.ts'
import { readInBand } from '../core/failure.ts'
import { noteAnswer } from '../core/note-answer.ts'
import { omissionFor, refuseOmission } from '../core/omitted.ts'
import type { OperationSpec, Provider, WireContext } from '../core/provider.ts'
import { repairOf } from '../core/repair-of.ts'
import type { UpstreamResponse } from '../core/transport.ts'
import { concat } from '../wire/block.ts'
import { answerLimits, isPlain } from '../wire/effort.ts'
import { GatewayError } from '../wire/errors.ts'
import { isObject, type JsonObject, tryParse } from '../wire/json.ts'
import { edit } from '../wire/members.ts'
import { outlineOf } from '../wire/outline.ts'
import { toldError } from '../wire/told-error.ts'
import { unwrapped } from './envelope.ts'
import { gathered } from './gathered.ts'
import { passedHeaders, protocolError } from './response.ts'

/** Maximum bytes of a whole answer; answers with images are smaller. */
export const answerLimit = 64 * 1024 * 1024

/** Bytes from which on an answer could hold the event loop for long. */
const largeAnswer = 1024 * 1024

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/**
 * Reads a whole answer, and passes its bytes on unchanged if no translation is needed. A stream, which some upstreams
 * send although none was asked for, becomes a whole answer: it is paid for.
 */
export async function whole(
  response: UpstreamResponse,
  spec: OperationSpec,
  context: WireContext,
  call: Call,
): Promise<Answer> {
  const { provider } = call.target.deployment
  const bytes = await response.body.collect(answerLimit, () => tooLarge(call))
  const text = decoder.decode(bytes)
  if (bytes.length > largeAnswer && !isPlain(text)) refuseEffort(bytes, provider)
  const parsed = tryParse(text)
  const json = spec.list !== undefined && Array.isArray(parsed) ? { [spec.list]: parsed } : parsed
  return {
    status: 200,
    headers: { ...passedHeaders(response.headers), 'content-type': 'application/json' },
    body:
      // A translation reads its provider's own envelope.
      isObject(json) && (spec.decode !== undefined || unwrapped(json) === json)
        ? bodyOf(bytes, json, checked(json, spec, context, call))
        : encoder.encode(JSON.stringify(rescued(bytes, spec, context, call))),
  }
}

/** An answer that is over the limit. Asked for again, it would be as large, and as dear. */
export function tooLarge({ operation, body, target }: Call): GatewayError {
  const { sharing } = operation
  const said = `${target.deployment.provider.name} sent an answer of more than ${answerLimit / 1024 / 1024} MB`
  if (!sharing || sharing.concerns?.(body.outline) === false)
    return new GatewayError('protocol', `${said}.`, { again: false })
  // What asks for much gets much: no fault of the deployment.
  return new GatewayError('incapable', `${said}. '${sharing.param}' asks for too much at once.`, {
    status: 502,
    type: 'server_error',
    code: 'upstream_invalid_response',
    param: sharing.param,
  })
}

/** Throws at JSON that would take too long to parse for its size: lists in lists, or nothing but keys. */
function refuseEffort(bytes: Uint8Array, provider: Provider): void {
  try {
    outlineOf(bytes, answerLimits)
  } catch (error) {
    if (error instanceof GatewayError) throw protocolError(provider, 'sent an answer that would take too long to read')
  }
}

interface Checked {
  readonly answer: JsonObject
  /** Whether it differs from what the upstream sent, apart from an empty `error`. */
  readonly changed: boolean
}

/** The answer in OpenAI's format. Throws what it reports, or what is invalid about it. */
export function checked(json: JsonObject, spec: OperationSpec, context: WireContext, call: Call): Checked {
  const error = toldError(json)
  if (error !== undefined) throw readInBand(json, call)
  const good = json.error ? withoutError(json) : json
  const decoded = spec.decode ? spec.decode(good, context) : good
  const answer = repairOf(call)?.value?.answer(decoded, context) ?? decoded
  const fault = call.operation.fault(answer, context)
  if (fault) {
    throw 'told' in fault ? readInBand(fault.told, call) : protocolError(call.target.deployment.provider, fault.wrong)
  }
  checkOmission(answer, call)
  noteAnswer(call, answer)
  return { answer, changed: answer !== good }
}

function checkOmission(answer: JsonObject, call: Call): void {
  const omission = omissionFor(call)
  if (omission?.isIn(answer)) refuseOmission(omission, call)
}

const onlyError = new Set(['error'])

function withoutError({ error: _, ...rest }: JsonObject): JsonObject {
  return rest
}

function bodyOf(bytes: Uint8Array, json: JsonObject, { answer, changed }: Checked): Uint8Array {
  if (changed) return encoder.encode(JSON.stringify(answer))
  // An empty `error` beside a good answer: clients that only look whether there is one would take it for one.
  return json.error ? concat(edit(bytes, { drop: onlyError })) : bytes
}

/** The answer in a body that is none itself: wrapped, a stream, or an object with the end of a stream behind it. */
function rescued(bytes: Uint8Array, spec: OperationSpec, context: WireContext, call: Call): JsonObject {
  const { provider } = call.target.deployment
  if (bytes.length === 0) throw protocolError(provider, 'sent an empty answer')
  const json = spec.streamType ? undefined : readAnswer(bytes)
  if (json) return checked(json, spec, context, call).answer
  const answer = gathered(bytes, spec, context, call)
  if (!answer) throw protocolError(provider, 'sent no JSON object')
  checkOmission(answer, call)
  noteAnswer(call, answer)
  return repairOf(call)?.value?.answer(answer, context) ?? answer
}

/** The JSON object that a body starts with, without what is around it and the events that some gateways append. */
export function readAnswer(bytes: Uint8Array): JsonObject | undefined {
  const text = decoder.decode(bytes)
  const json = tryParse(text) ?? tryParse(text.replace(appendedEnd, '')) ?? tryParse(text.replace(appendedEvents, ''))
  const answer = unwrapped(json)
  return isObject(answer) ? answer : undefined
}

/** JSON has no line that begins so: its texts hold no line breaks. */
const appendedEvents = /^[ \t]*(data|event|id):[\s\S]*$/m
const appendedEnd = /data:\s*\[DONE\]\s*$/
