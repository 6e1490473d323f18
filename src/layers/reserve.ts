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
    function charged(call: Call, admission: Admission): Promise<Answer> {
      try {
        const reserving = admission.reserve()
        return reserving ? reserving.then(() => ask(call)) : ask(call)
      } catch (refusal) {
        return Promise.reject(refusal)
      }
    }
    return (call) => (call.trace.admission ? charged(call, call.trace.admission) : ask(call))
  }
