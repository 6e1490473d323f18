import type { Answer } from '../core/answer.ts'
import type { Call } from '../core/call.ts'
import type { OperationSpec, WireContext } from '../core/provider.ts'
import { sourceOf } from '../core/sources.ts'
import { translated } from '../core/stages.ts'
import type { ByteSource, Stage } from '../core/stream.ts'
import type { UpstreamResponse } from '../core/transport.ts'
import { objectAt } from '../wire/json.ts'
import { done, frame, typedFrame } from '../wire/sse.ts'
import { isOfLines, ofLines } from './lines.ts'
import { passedHeaders, protocolError } from './response.ts'
import { peekShape, type Shape } from './shape.ts'
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
  response: UpstreamResponse,
  spec: OperationSpec,
  context: WireContext,
  call: Call,
): Promise<ByteSource> {
  const { body } = response
  const { provider } = call.target.deployment
  const shape = await peekShape(body)
  const type = typeOf(response)
  // A provider's own format may be lines of JSON, and its translation knows what else it sends.
  const isOwn = spec.streamType !== undefined
  const made = isOwn ? undefined : ofBytes(type, shape, call)
  if (made) return translated(body, made)
  if (shape === 'json' && !isOwn && !(await isOfLines(body))) return await streamOf(response, spec, context, call)
  const unknown = shape === 'other' && type !== '' && !isEvents(type) && !isOwn
  if (shape === 'page' || unknown) {
    body.cancel('It is no stream.')
    throw protocolError(provider, `answered a stream request with ${shape === 'page' ? 'a web page' : type}`)
  }
  const { stream } = shape === 'json' && !isOwn ? ofLines(spec, provider.name) : spec
  return stream ? translated(body, stream(context)) : body
}

/** What makes a stream of a whole answer that is no JSON. */
function ofBytes(type: string, shape: Shape, { operation }: Call): Stage | undefined {
  // Audio may begin with any bytes.
  const isPlain = shape === 'other' || (shape === 'page' && !/html/i.test(type)) || /^audio\//i.test(type)
  return isPlain && shape !== 'nothing' && !isEvents(type) ? operation.streamOf?.(type) : undefined
}

const isEvents = (type: string) => /^text\/event-stream$/i.test(type)

function typeOf({ headers }: UpstreamResponse): string {
  return headers['content-type']?.split(';')[0]?.trim() ?? ''
}

/** A whole answer as a stream. */
async function streamOf(
  response: UpstreamResponse,
  spec: OperationSpec,
  context: WireContext,
  call: Call,
): Promise<ByteSource> {
  const { provider } = call.target.deployment
  const { operation } = call
  const bytes = await response.body.collect(answerLimit, () => tooLarge(call))
  const json = readAnswer(bytes)
  // A text may begin like JSON.
  const plain = json ? undefined : ofBytes(typeOf(response), 'other', call)
  if (plain) return translated(sourceOf([bytes]), plain)
  if (!json) throw protocolError(provider, 'sent no JSON object')
  const { answer } = checked(json, spec, context, call)
  if (!operation.toStream) throw protocolError(provider, 'sent a whole answer instead of a stream')
  const usage = objectAt(context.body, 'stream_options')?.include_usage === true
  const chunks = operation.toStream(answer, context, { usage })
  const isTyped = operation.reader?.(context.body).endsItself
  return sourceOf(isTyped ? chunks.map(typedFrame) : [...chunks.map(frame), done])
}
