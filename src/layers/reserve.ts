import type { Admission } from '../core/account.ts'
import type { Answer } from '../core/answer.ts'
import type { Call, Layer } from '../core/call.ts'
import type { RetryBudget } from '../core/retry-budget.ts'

/** Takes what a request needs of limits and budgets, now that an upstream is to be asked. */
export const reserve =
  (budget: RetryBudget): Layer =>
  (next) => {
    function ask(call: Call): Promise<Answer> {
      budget.deposit()
      return next(call)
    }
    async function charged(call: Call, admission: Admission): Promise<Answer> {
      const reserving = admission.reserve()
      if (reserving) await reserving
      return await ask(call)
    }
    return (call) => (call.trace.admission ? charged(call, call.trace.admission) : ask(call))
  }
