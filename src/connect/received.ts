import type { Answer } from '../core/answer.ts'
import type { Call } from '../core/call.ts'
import type { OperationSpec, WireContext } from '../core/provider.ts'
import type { UpstreamResponse } from '../core/transport.ts'
import { isJson } from '../wire/headers.ts'
import { passedHeaders, protocolError } from './response.ts'
import { peekShape } from './shape.ts'
import { whole } from './whole.ts'

/** An answer of any type: JSON is read and checked, text and audio go on as they come. */
export async function received(
  response: UpstreamResponse,
  spec: OperationSpec,
  context: WireContext,
  call: Call,
): Promise<Answer> {
  const { headers, body } = response
  const type = headers['content-type'] ?? 'application/octet-stream'
  if (isJson(type)) return await whole(response, spec, context, call)
  const { provider } = call.target.deployment
  const shape = await peekShape(body)
  if (shape === 'nothing') throw protocolError(provider, 'sent an empty answer')
  if (shape === 'page' && /html/i.test(type)) {
    body.cancel('It is a web page.')
    throw protocolError(provider, 'answered with a web page')
  }
  const length = headers['content-encoding'] === undefined ? headers['content-length'] : undefined
  return {
    status: 200,
    headers: {
      ...passedHeaders(headers),
      'content-type': type,
      ...(length !== undefined && /^\d+$/.test(length) && { 'content-length': length }),
    },
    body: { source: body, steps: [] },
  }
}
