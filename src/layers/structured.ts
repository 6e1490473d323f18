import type { Answer } from '../core/answer.ts'
import type { Call, Layer, Upstream } from '../core/call.ts'
import type { Services } from '../core/services.ts'
import { sourceOf } from '../core/sources.ts'
import type { Structure } from '../core/structure.ts'
import { GatewayError } from '../wire/errors.ts'
import { isObject, type JsonObject, objectAt, tryParse } from '../wire/json.ts'
import { done, frame } from '../wire/sse.ts'
import { CallContext } from './call-context.ts'

type Needed = Pick<Services, 'clock' | 'random'>

/**
 * Has an answer in the structure that a request wants from an upstream that would ignore it: asked for in words, checked,
 * and asked for once more if it doesn't fit. A stream comes only when the whole answer is there and fits.
 */
export const structured =
  (services: Needed): Layer =>
  (next) =>
    function structuredOf(call) {
      const { name, structure } = call.operation
      const { lacks } = call.target.deployment.provider.operations[name] ?? {}
      if (!structure || !lacks?.some((feature) => feature.startsWith('json_'))) return next(call)
      const wanted = structure(call.body, lacks)
      return wanted ? answerIn(wanted, next, call, services) : next(call)
    }

async function answerIn(structure: Structure, next: Upstream, call: Call, services: Needed): Promise<Answer> {
  const ask = (body: Call['body']) => next({ ...call, body, routed: undefined, streams: false })
  const first = await ask(structure.body)
  const said = jsonOf(first)
  const checked = structure.check(said)
  if ('answer' in checked) return wordedAs(first, checked.answer, call, services)
  const second = await ask(structure.again(said, checked.problem))
  const corrected = jsonOf(second)
  const again = structure.check(corrected)
  if ('problem' in again) throw unfit(again.problem, call)
  return wordedAs(second, call.operation.withUsageOf?.(again.answer, said) ?? again.answer, call, services)
}

/** The answer as the client wants it: whole or as a stream. */
function wordedAs(given: Answer, answer: JsonObject, call: Call, services: Needed): Answer {
  if (!call.streams || !call.operation.toStream) {
    return { ...given, body: new TextEncoder().encode(JSON.stringify(answer)) }
  }
  const usage = objectAt(call.body.outline, 'stream_options')?.include_usage === true
  const chunks = call.operation.toStream(answer, new CallContext(call, services), { usage })
  return {
    ...given,
    headers: { ...given.headers, 'content-type': 'text/event-stream; charset=utf-8' },
    body: { source: sourceOf([...chunks.map(frame), done]), steps: [] },
  }
}

function jsonOf({ body }: Answer): JsonObject {
  const json = body instanceof Uint8Array ? tryParse(new TextDecoder().decode(body)) : undefined
  if (!isObject(json)) throw new GatewayError('internal', 'A whole answer came as something else.')
  return json
}

function unfit(problem: string, { target }: Call): GatewayError {
  return new GatewayError(
    'incapable',
    `${target.deployment.label} did not keep to the wanted format, asked twice: ${problem}.`,
    { status: 502, type: 'server_error', code: 'upstream_invalid_response', param: 'response_format' },
  )
}
