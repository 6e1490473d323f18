import type { Answer } from '../core/answer.ts'
import type { Call } from '../core/call.ts'
import { readInBand } from '../core/failure.ts'
import type { OperationSpec, WireContext } from '../core/provider.ts'
import type { UpstreamResponse } from '../core/transport.ts'
import { isBlank } from '../wire/blank.ts'
import { isObject, tryParse } from '../wire/json.ts'
import { passedHeaders, protocolError } from './response.ts'

/** Maximum bytes of a whole answer; answers with images are smaller. */
const answerLimit = 64 * 1024 * 1024

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** Reads a whole answer, and passes its bytes on unchanged if it needs no translation and no repair. */
export async function whole(
  response: UpstreamResponse,
  spec: OperationSpec,
  context: WireContext,
  call: Call,
): Promise<Answer> {
  const { provider } = call.target.deployment
  const bytes = await response.body.collect(answerLimit, () =>
    protocolError(provider, `sent an answer of more than ${answerLimit} bytes`),
  )
  const json = tryParse(decoder.decode(bytes))
  if (!isObject(json))
    throw protocolError(provider, bytes.length === 0 ? 'sent an empty answer' : 'sent no JSON object')
  if (!isBlank(json.error)) throw readInBand(json, call)
  const decoded = spec.decode ? spec.decode(json, context) : json
  const { repair } = call.operation
  const answer =
    repair && !provider.definition.keepsFormat?.(provider.settings) ? repair.answer(decoded, context) : decoded
  const fault = call.operation.fault(answer)
  if (fault) throw 'told' in fault ? readInBand(fault.told, call) : protocolError(provider, fault.wrong)
  return {
    status: 200,
    headers: { ...passedHeaders(response.headers), 'content-type': 'application/json' },
    body: answer === json ? bytes : encoder.encode(JSON.stringify(answer)),
  }
}
