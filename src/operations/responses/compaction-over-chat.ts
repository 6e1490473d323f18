import type { Operation } from '../../core/operation.ts'
import type { Translated, Translation } from '../../core/translation.ts'
import { parseBody, type RequestBody } from '../../wire/body.ts'
import { identifier } from '../../wire/ids.ts'
import { objectAt } from '../../wire/json.ts'
import { chat } from '../chat.ts'
import { firstChoice } from '../common/first-choice.ts'
import { inOwnTerms } from './request.ts'
import { endOf, responseOf } from './response.ts'
import { keptOf, Summary, summingUp } from './summary.ts'
import { unsealed } from './unsealed.ts'

/** Has the model itself sum the conversation up. */
export const compactionOverChat: Translation<Operation> = {
  operation: chat,
  direct: unsealed,
  failure: inOwnTerms,
  begin(body: RequestBody, { random, clock, model }): Translated {
    const { stream: _, ...asked } = body.json
    const { chat: request, dropped } = summingUp(asked)
    const created = Math.floor(clock.now() / 1000)
    return {
      body: parseBody(encoder.encode(JSON.stringify(request))),
      dropped,
      answer(answer) {
        const head = { id: identifier('resp_', random, 48), created, model, tier: 'default' }
        const usage = objectAt(answer, 'usage')
        const choice = firstChoice(answer)
        const summary = new Summary(random)
        summary.add(objectAt(choice, 'message') ?? {})
        summary.finish(endOf(choice?.finish_reason).status)
        return {
          id: head.id,
          object: 'response.compaction',
          created_at: created,
          output: [
            ...keptOf(asked.input).map((item) => ({ id: identifier('msg_', random, 32), ...item })),
            ...summary.items,
          ],
          usage: responseOf(asked, head, { status: 'completed', output: [], usage }).usage,
        }
      },
    }
  },
}

const encoder = new TextEncoder()
