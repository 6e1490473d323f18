import { type Answer, isStream } from '../core/answer.ts'
import type { Call, Layer, Upstream } from '../core/call.ts'
import type { Clock } from '../core/clock.ts'
import { noteAnswer } from '../core/note-answer.ts'
import type { AtOnce, Sharing } from '../core/operation.ts'
import { GatewayError } from '../wire/errors.ts'
import { isObject, type JsonObject, tryParse } from '../wire/json.ts'
import type { Part } from './exchanges.ts'
import { continuedStream, joinedStream } from './joined.ts'
import { withOwnChoices } from './own-choices.ts'
import { together } from './together.ts'

/** Exchanges of one request in all. */
const mostParts = 256
/** Deployments whose limits are remembered. Callers may name any model. */
const mostLearnt = 1000

/**
 * Shares a request out among several exchanges with one deployment, if it asks for more than that does at once. Each part
 * has its own tries. A limit that only a refusal tells is remembered.
 */
export function share({ clock }: { readonly clock: Clock }): Layer {
  const learnt = new Map<string, AtOnce>()

  function learn(key: string, told: AtOnce): void {
    if (learnt.size >= mostLearnt) learnt.clear()
    learnt.set(key, { ...learnt.get(key), ...told })
  }

  async function answer(next: Upstream, call: Call, sharing: Sharing, most: AtOnce): Promise<Answer> {
    const joiner = call.streams ? sharing.joinStreams?.(call.body) : undefined
    const parts = call.streams && !joiner ? undefined : partsOf(call, sharing, most)
    if (parts && joiner) return await joinedStream(next, parts, { call, joiner, clock })
    if (parts) return joined(sharing, await together(next, call, parts, clock), call)
    const first = await next(call)
    if (first.body instanceof Uint8Array) return await completed(first, next, call, sharing)
    return isStream(first.body) ? continued(first, next, call, sharing) : first
  }

  /** An answer that is only the first parts of what was asked for, with the other parts. */
  async function completed(first: Answer, next: Upstream, call: Call, sharing: Sharing): Promise<Answer> {
    const lack = sharing.silently?.(jsonOf(first), call.body)
    const rest = lack && partsOf(call, sharing, lack.most)?.slice(lack.parts)
    if (!rest || rest.length === 0) return first
    learn(keyOf(call), lack.most)
    return joined(sharing, [first, ...(await together(next, call, rest, clock))], call, lack.parts)
  }

  /** A stream, and behind it the parts that it turns out to lack. */
  function continued(first: Answer, next: Upstream, call: Call, sharing: Sharing): Answer {
    const { definition, settings } = call.target.deployment.provider
    const lacking = definition.keepsFormat?.(settings) ? undefined : sharing.lackingIn?.(call.body)
    const joiner = lacking && sharing.joinStreams?.(call.body)
    if (!joiner) return first
    const parts = () => {
      learn(keyOf(call), lacking.most)
      return partsOf(call, sharing, lacking.most)
    }
    return continuedStream(next, first, { call, joiner, clock, lacking, parts })
  }

  async function learning(next: Upstream, call: Call, sharing: Sharing, known: AtOnce): Promise<Answer> {
    for (let most = known; ; ) {
      try {
        return await answer(next, call, sharing, most)
      } catch (failure) {
        const told = failure instanceof GatewayError ? sharing.told?.(failure, call.body, most) : undefined
        // Each is less than the one before, so that there is an end.
        if (!told || !isLess(told.most, most)) throw failure
        if (told.lasts) learn(keyOf(call), told.most)
        most = { ...most, ...told.most }
      }
    }
  }

  return (next) =>
    async function shared(given) {
      const call = withOwnChoices(given)
      const { sharing: shareable, name } = call.operation
      if (!shareable) return await next(call)
      const sharing = shareable.how.value ?? (await shareable.how.load())
      const { atOnce } = call.target.deployment.provider.operations[name] ?? {}
      const known = learnt.size > 0 ? { ...atOnce, ...learnt.get(keyOf(call)) } : atOnce
      if (sharing.told || sharing.silently) return await learning(next, call, sharing, known ?? {})
      return known ? await answer(next, call, sharing, known) : await next(call)
    }
}

const keyOf = ({ operation, target }: Call) => `${operation.name} ${target.deployment.label}`

function isLess(told: AtOnce, known: AtOnce): boolean {
  const less = (name: keyof AtOnce) =>
    (told[name] ?? Number.POSITIVE_INFINITY) < (known[name] ?? Number.POSITIVE_INFINITY)
  return less('inputs') || less('choices')
}

function partsOf({ body, routed, operation }: Call, { split }: Sharing, most: AtOnce): readonly Part[] | undefined {
  const bodies = split(body, most)
  if (!bodies) return undefined
  if (bodies.length > mostParts) {
    const { param = '' } = operation.sharing ?? {}
    const message = `Unsupported parameter: '${param}' asks for more than this model does at once; it would take ${bodies.length} requests, and ${mostParts} are allowed.`
    throw new GatewayError('incapable', message, { param })
  }
  const alike = routed && split(routed, most)
  return bodies.map((part, at) => ({ body: part, routed: alike?.[at] }))
}

function joined(sharing: Sharing, answers: readonly Answer[], call: Call, first?: number): Answer {
  const answer = sharing.join(answers.map(jsonOf), call.body, first)
  noteAnswer(call, answer)
  return { ...(answers.at(-1) as Answer), body: new TextEncoder().encode(JSON.stringify(answer)) }
}

/** What was checked below is a JSON object. */
function jsonOf({ body }: Answer): JsonObject {
  const json = body instanceof Uint8Array ? tryParse(new TextDecoder().decode(body)) : undefined
  if (!isObject(json)) throw new GatewayError('internal', 'A part of the request was answered with a stream.')
  return json
}
