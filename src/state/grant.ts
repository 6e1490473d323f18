import type { Granted } from './meters.ts'

/** What one meter has, as far as a grant is concerned. */
export interface Account {
  /** Whoever still needs it, such as grants that aren't settled: one may hold nothing yet. */
  users: number
  /** Frees `held`, and spends `used` instead. */
  settle(held: number, used: number): void
}

/** Takes as much of each account; false: nothing was taken, since one has too little. */
export type Take<A> = (accounts: readonly A[], amounts: readonly number[]) => boolean | Promise<boolean>

/** What a request holds of some accounts until it is settled, once. */
export class Grant<A extends Account> implements Granted {
  readonly granted = true
  readonly #accounts: readonly A[]
  readonly #amounts: number[]
  readonly #take: Take<A>
  readonly #settled: (accounts: readonly A[]) => void
  #over = false

  constructor(
    accounts: readonly A[],
    amounts: readonly number[],
    { take, settled }: { readonly take: Take<A>; readonly settled: (accounts: readonly A[]) => void },
  ) {
    this.#accounts = accounts
    this.#amounts = [...amounts]
    this.#take = take
    this.#settled = settled
    for (const account of accounts) account.users++
  }

  extend(more: readonly number[]): boolean | Promise<boolean> {
    if (this.#over) return false
    const taken = this.#take(this.#accounts, more)
    return typeof taken === 'boolean' ? this.#extended(taken, more) : taken.then((done) => this.#extended(done, more))
  }

  settle(used: readonly number[]): void {
    if (this.#over) return
    this.#over = true
    const accounts = this.#accounts
    for (let index = 0; index < accounts.length; index++) {
      const account = accounts[index] as A
      account.users--
      const held = this.#amounts[index] as number
      const said = Math.ceil(used[index] ?? 0)
      // What is no amount is the most that it can have been.
      account.settle(held, Number.isSafeInteger(said) && said >= 0 ? said : held)
    }
    this.#settled(this.#accounts)
  }

  #extended(taken: boolean, more: readonly number[]): boolean {
    if (!taken) return false
    if (this.#over) {
      // It was settled while more was asked for.
      for (const [index, account] of this.#accounts.entries()) account.settle(more[index] as number, 0)
      this.#settled(this.#accounts)
      return false
    }
    for (const index of this.#amounts.keys())
      this.#amounts[index] = (this.#amounts[index] as number) + (more[index] ?? 0)
    return true
  }
}

/** Amounts are whole, or no database could keep them. A `RangeError` is a mistake of the gateway's own. */
export function checkAmounts(amounts: readonly number[]): void {
  for (const amount of amounts) {
    if (!Number.isSafeInteger(amount) || amount < 0) throw new RangeError(`no amount: ${amount}`)
  }
}
