import type { Result, Router } from 'hono/router'
import { PatternRouter } from 'hono/router/pattern-router'

/** Looks fixed paths up in a map. Hono's routers try one pattern after the other, or compile them all, which costs a start. */
export class FixedPathsFirst<T> implements Router<T> {
  readonly name = 'FixedPathsFirst'
  readonly #fixed = new Map<string, Map<string, Result<T>>>()
  readonly #open = new PatternRouter<T>()

  add(method: string, path: string, handler: T): void {
    if (/[*:?{]/.test(path)) {
      this.#open.add(method, path, handler)
      return
    }
    const alike = this.#fixed.get(method) ?? new Map<string, Result<T>>()
    const [handlers] = alike.get(path) ?? [[]]
    this.#fixed.set(method, alike.set(path, [[...handlers, [handler, {}]]] as Result<T>))
  }

  match(method: string, path: string): Result<T> {
    return this.#fixed.get(method)?.get(path) ?? this.#open.match(method, path)
  }
}
