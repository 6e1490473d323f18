import type { OperationSpec } from '../../src/core/provider.ts'
import { boundedCount, countAnswer } from '../../src/operations/responses/count.ts'
import { toChat } from '../../src/operations/responses/request.ts'
import { GatewayError } from '../../src/wire/errors.ts'
import { jsonOf, posted } from '../exchange.ts'
import { geminiURL, resourceOf } from './address.ts'
import { generateRequest } from './request.ts'

/** https://ai.google.dev/api/tokens#method:-models.counttokens; a bound for models that can't count. */
export const countTokens: OperationSpec = {
  ...boundedCount,
  async serve(request) {
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
    if (!boundedCount.serve) throw new Error('a bound needs no server')
    return boundedCount.serve(request)
  },
}
