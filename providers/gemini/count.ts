import type { Answer } from '../../src/core/answer.ts'
import type { ServedRequest } from '../../src/core/served.ts'
import { boundAnswer, countAnswer } from '../../src/operations/responses/count.ts'
import { toChat } from '../../src/operations/responses/request.ts'
import { GatewayError } from '../../src/wire/errors.ts'
import { jsonOf, posted } from '../exchange.ts'
import { geminiURL, resourceOf } from './address.ts'
import { generateRequest } from './request.ts'

/** https://ai.google.dev/api/tokens#method:-models.counttokens; a bound for models that can't count. */
export async function countTokens(request: ServedRequest): Promise<Answer> {
  const { context, settings } = request
  const { model } = context
  const asked = generateRequest({ body: toChat(context.body).chat, model })
  const body = { generateContentRequest: { model: resourceOf(model), ...asked } }
  const url = geminiURL(settings.baseURL, '/v1beta/{model}:countTokens', model)
  try {
    const { totalTokens } = await jsonOf(await posted(request, url, body))
    if (typeof totalTokens === 'number') return countAnswer(totalTokens)
  } catch (failure) {
    if (!(failure instanceof GatewayError) || failure.kind !== 'wrong_endpoint') throw failure
  }
  return boundAnswer(request)
}
