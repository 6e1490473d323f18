import type { Answer } from '../core/answer.ts'
import type { Call, Layer, Upstream } from '../core/call.ts'
import type { Services } from '../core/services.ts'
import { sourceOf } from '../core/sources.ts'
import type { Requirement, Structure } from '../core/structure.ts'
import { GatewayError } from '../wire/errors.ts'
import { isObject, type JsonObject, objectAt, tryParse } from '../wire/json.ts'
import { done, frame } from '../wire/sse.ts'
import { CallContext } from './call-context.ts'
import { asksForStructure, lacksOf, requirementOf } from './concerns.ts'

type Needed = Pick<Services, 'clock' | 'random'>

/**
 * Has an answer in the structure that a request wants from an upstream that would ignore it: asked for in words, checked,
 * and asked for once more if it doesn't fit. A stream comes only when the whole answer is there and fits.
 */
export const structured =
  (services: Needed): Layer =>
  (next) =>
    async function structuredOf(call) {
      const { operation, body } = call
      const lacks = lacksOf(call)
      const structureFor = asksForStructure(operation, body, lacks) ? await operation.structure?.load() : undefined
      const wanted = structureFor?.(body, lacks)
      return wanted ? await answerIn(wanted, next, call, services) : await complete(next, call)
    }

/** An answer with what the request requires, asked for once more if the first one lacks it. */
function complete(next: Upstream, call: Call): Promise<Answer> {
  const required = requirementOf(call)
  return required ? having(required, next, call) : next(call)
}

async function having(required: Requirement, next: Upstream, call: Call): Promise<Answer> {
  const first = await next(call)
  const said = jsonOf(first)
  if (required.problem(said) === undefined) return first
  const { body, routed } = call
  const reminded = { body: required.again(body, said), routed: routed && required.again(routed, said) }
  const second = await next({ ...call, ...reminded })
  const again = jsonOf(second)
  const problem = required.problem(again)
  if (problem !== undefined) throw unfit(required.param, problem, call)
  return bytesOf(second, summed(call, again, said))
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
  if ('problem' in again) throw unfit('response_format', again.problem, call)
  return wordedAs(second, summed(call, again.answer, said), call, services)
}

/** The second answer with the usage of both, which a stream doesn't tell to who hasn't asked for it. */
function summed({ operation, trace }: Call, second: JsonObject, first: JsonObject): JsonObject {
  const answer = operation.withUsageOf?.(second, first) ?? second
  trace.usage = operation.usage?.(answer)
  return answer
}

/** The answer as the client wants it: whole or as a stream. */
function wordedAs(given: Answer, answer: JsonObject, call: Call, services: Needed): Answer {
  if (!call.streams || !call.operation.toStream) {
    return bytesOf(given, answer)
  }
  const usage = objectAt(call.body.outline, 'stream_options')?.include_usage === true
  const chunks = call.operation.toStream(answer, new CallContext(call, services), { usage })
  return {
    ...given,
    headers: { ...given.headers, 'content-type': 'text/event-stream; charset=utf-8' },
    body: { source: sourceOf([...chunks.map(frame), done]), steps: [] },
  }
}

function bytesOf(given: Answer, answer: JsonObject): Answer {
  return { ...given, body: new TextEncoder().encode(JSON.stringify(answer)) }
}

function jsonOf({ body }: Answer): JsonObject {
  const json = body instanceof Uint8Array ? tryParse(new TextDecoder().decode(body)) : undefined
  if (!isObject(json)) throw new GatewayError('internal', 'A whole answer came as something else.')
  return json
}

function unfit(param: string, problem: string, { target }: Call): GatewayError {
  return new GatewayError(
    'incapable',
    `${target.deployment.label} did not keep to ${param}, asked twice: ${problem}.`,
    {
      status: 502,
      type: 'server_error',
      code: 'upstream_invalid_response',
      param,
    },
  )
}
