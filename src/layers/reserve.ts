import type { Layer } from '../core/call.ts'
import type { RetryBudget } from '../core/retry-budget.ts'

/** Takes what a request needs of limits and budgets, now that an upstream is to be asked. */
export const reserve =
  (budget: RetryBudget): Layer =>
  (next) =>
  (call) => {
    const ask = () => {
      budget.deposit()
      return next(call)
    }
    try {
      const reserving = call.trace.admission?.reserve()
      return reserving ? reserving.then(ask) : ask()
    } catch (refusal) {
      return Promise.reject(refusal)
    }
  }
