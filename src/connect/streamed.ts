import type { Answer } from '../core/answer.ts'
import type { Call } from '../core/call.ts'
import type { Clock } from '../core/clock.ts'
import { readInBand } from '../core/failure.ts'
import type { OperationSpec, WireContext } from '../core/provider.ts'
import { translated } from '../core/stream.ts'
import type { UpstreamResponse } from '../core/transport.ts'
import { isObject, tryParse } from '../wire/json.ts'
import { opening } from './refused.ts'
import { passedHeaders, protocolError } from './response.ts'

/** Reads the start of a streamed answer; the stream itself is still to come. */
export async function streamed(
  response: UpstreamResponse,
  spec: OperationSpec,
  context: WireContext,
  { call, clock }: { call: Call; clock: Clock },
): Promise<Answer> {
  const { provider } = call.target.deployment
  const type = response.headers['content-type'] ?? ''
  if (/^text\/html/i.test(type) || (!spec.streamType && type !== '' && !/^text\/event-stream/i.test(type))) {
    const said = tryParse(await opening(response.body, clock))
    if (isObject(said) && said.error) throw readInBand(said, call)
    throw protocolError(provider, `answered a stream request with ${type.split(';')[0]}`)
  }
  return {
    status: 200,
    headers: { ...passedHeaders(response.headers), 'content-type': 'text/event-stream; charset=utf-8' },
    body: { source: spec.stream ? translated(response.body, spec.stream(context)) : response.body, steps: [] },
  }
}
