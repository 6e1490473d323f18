import type { Answer } from '../core/answer.ts'
import type { Call } from '../core/call.ts'
import type { OperationSpec, WireContext } from '../core/provider.ts'
import { sourceOf } from '../core/sources.ts'
import { translated } from '../core/stages.ts'
import type { ByteSource } from '../core/stream.ts'
import type { UpstreamResponse } from '../core/transport.ts'
import { objectAt } from '../wire/json.ts'
import { done, frame } from '../wire/sse.ts'
import { isOfLines, ofLines } from './lines.ts'
import { passedHeaders, protocolError } from './response.ts'
import { peekShape } from './shape.ts'
import { answerLimit, checked, readAnswer, tooLarge } from './whole.ts'

/**
 * Reads the start of a streamed answer; the stream itself is still to come. A whole answer, which some upstreams send
 * although a stream was asked for, becomes a stream: it is paid for.
 */
export async function streamed(
  response: UpstreamResponse,
  spec: OperationSpec,
  context: WireContext,
  call: Call,
): Promise<Answer> {
  return {
    status: 200,
    headers: { ...passedHeaders(response.headers), 'content-type': 'text/event-stream; charset=utf-8' },
    body: { source: await sourceFor(response, spec, context, call), steps: [] },
  }
}

async function sourceFor(
  { headers, body }: UpstreamResponse,
  spec: OperationSpec,
  context: WireContext,
  call: Call,
): Promise<ByteSource> {
  const { provider } = call.target.deployment
  const shape = await peekShape(body)
  const type = headers['content-type']?.split(';')[0]?.trim() ?? ''
  // A provider's own format may be lines of JSON, and its translation knows what else it sends.
  const isOwn = spec.streamType !== undefined
  if (shape === 'json' && !isOwn && !(await isOfLines(body))) return await streamOf(body, spec, context, call)
  const unknown = shape === 'other' && type !== '' && !/^text\/event-stream$/i.test(type) && !isOwn
  if (shape === 'page' || unknown) {
    body.cancel('It is no stream.')
    throw protocolError(provider, `answered a stream request with ${shape === 'page' ? 'a web page' : type}`)
  }
  const { stream } = shape === 'json' && !isOwn ? ofLines(spec, provider.name) : spec
  return stream ? translated(body, stream(context)) : body
}

/** A whole answer as a stream. */
async function streamOf(body: ByteSource, spec: OperationSpec, context: WireContext, call: Call): Promise<ByteSource> {
  const { provider } = call.target.deployment
  const { operation } = call
  const bytes = await body.collect(answerLimit, () => tooLarge(call))
  const json = readAnswer(bytes)
  if (!json || !operation.toStream) throw protocolError(provider, 'sent no JSON object')
  const usage = objectAt(context.body, 'stream_options')?.include_usage === true
  const chunks = operation.toStream(checked(json, spec, context, call).answer, context, { usage })
  return sourceOf([...chunks.map(frame), done])
}
