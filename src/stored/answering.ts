import type { Answer } from '../core/answer.ts'
import type { Gateway, GatewayRequest } from '../gateway.ts'
import { chat } from '../operations/chat.ts'
import { compaction } from '../operations/compaction.ts'
import { inputTokens } from '../operations/input-tokens.ts'
import { responses } from '../operations/responses.ts'
import { edited, invalid } from '../wire/body.ts'
import { GatewayError } from '../wire/errors.ts'
import type { Background } from './background.ts'
import { keptChat } from './chats.ts'
import { joined } from './joining.ts'
import { type Keeping, ownerOf } from './keeping.ts'
import { ResponseKeeper } from './responses.ts'

export interface AnsweringOptions {
  readonly keeping: Keeping
  /** Absent: nothing goes on without somebody who waits for it. */
  readonly background: Background | undefined
}

/** What is for whoever stores a chat: OpenAI takes `metadata` of no other. */
const ofTheStore = new Set(['store', 'metadata'])

/** A gateway that keeps what clients store, and knows what they refer to. */
export function keepingAnswers(gateway: Gateway, { keeping, background }: AnsweringOptions): Gateway {
  async function respond(request: GatewayRequest): Promise<Answer> {
    const { body, trace } = request
    const { store, background: isLater } = body.outline
    if (isLater === true && store === false)
      throw invalid("Background mode requires 'store' to be true.", 'background', 'invalid_value')
    const owner = ownerOf(trace.account, request.key)
    const found = await joined(body, owner, keeping)
    const asked = { ...request, body: found.body }
    if (request.operation !== responses) return await gateway.answer(asked)
    const stores = store !== false
    trace.keeps = stores || found.conversation !== undefined
    const keeper = new ResponseKeeper({ owner, joined: found, stores, trace }, keeping)
    try {
      const answer = await gateway.answer(asked)
      return stores || found.body !== body ? await keeper.kept(answer) : answer
    } catch (failure) {
      if (isLater !== true || !isOnlyForBackground(failure)) throw failure
      if (!background?.canOutlast(request)) throw onlyWhileAsked(failure)
      return await background.begin(gateway, asked, { owner, joined: found, stores, trace })
    }
  }

  async function keep(request: GatewayRequest): Promise<Answer> {
    const { body, trace, key } = request
    const asked = keeping.passesOn ? request : { ...request, body: edited(body, { drop: ofTheStore }) }
    return await keptChat(await gateway.answer(asked), body, ownerOf(trace.account, key), keeping)
  }

  return {
    ...gateway,
    // Most requests don't wait here for what they get elsewhere.
    answer(request) {
      const { operation, body } = request
      if (operation === responses || operation === compaction || operation === inputTokens) return respond(request)
      return operation === chat && body.outline.store === true ? keep(request) : gateway.answer(request)
    },
  }
}

/** Whether a request was refused because no model can answer it in the background: then the gateway waits for it. */
function isOnlyForBackground(failure: unknown): boolean {
  return failure instanceof GatewayError && failure.kind === 'incapable' && failure.param === 'background'
}

function onlyWhileAsked(cause: unknown): GatewayError {
  const message =
    "Unsupported parameter: 'background' is not supported with this model where this gateway runs: on Workers it takes " +
    'Durable Objects that are bound as FLIGHTS, and a request of 4 MB at most. Ask without it, for a stream if the answer ' +
    'takes long.'
  return new GatewayError('incapable', message, { param: 'background', code: 'unsupported_parameter', cause })
}
