import type { Call } from '../core/call.ts'
import type { Clock } from '../core/clock.ts'
import type { OperationSpec, Remedy, WireContext } from '../core/provider.ts'
import type { Services } from '../core/services.ts'
import type { TextReading } from '../core/wire-context.ts'
import type { JsonObject } from '../wire/json.ts'
import { askedBody, cured } from './changes.ts'
import type { Images } from './images.ts'

/** How a request is sent: what was settled about it before it is translated. */
export interface Manner {
  /** The fields that are left out. */
  readonly dropped: readonly string[]
  /** Those that were fetched for it. */
  readonly images?: Images | undefined
  readonly spec: OperationSpec
  readonly remedy: Remedy
}

/**
 * What a translation has access to. Most exchanges pass bytes unchanged and never use it, so the object and the id are
 * created on first use. A class, because V8 keeps a hidden class for every object literal with getters, and with it the
 * whole request, until the next full garbage collection.
 */
export class ExchangeContext implements WireContext {
  readonly #call: Call
  readonly #clock: Clock
  readonly random: () => number
  #body: JsonObject | undefined
  #id: string | undefined
  #created: number | undefined
  readonly #manner: Manner
  readonly images: Images | undefined

  constructor(call: Call, { clock, random }: Services, manner: Manner) {
    this.#call = call
    this.#manner = manner
    this.images = manner.images
    this.#clock = clock
    this.random = random
  }

  get body(): JsonObject {
    this.#body ??= prepared(askedBody(this.#call), this.#manner)
    return this.#body
  }

  /** The time of its first use. */
  get created(): number {
    this.#created ??= Math.floor(this.#clock.now() / 1000)
    return this.#created
  }

  get model(): string {
    return this.#call.target.deployment.model
  }

  get supports(): WireContext['supports'] {
    return this.#call.target.deployment.known.supports
  }

  get contextWindow(): number | undefined {
    return this.#call.target.contextWindow
  }

  get maxOutput(): number | undefined {
    return this.#call.target.maxOutput
  }

  get optional(): readonly string[] | undefined {
    return this.#call.optional
  }

  leftOut(param: string): void {
    const { trace } = this.#call
    if (!trace.dropped?.includes(param)) trace.dropped = [...(trace.dropped ?? []), param]
  }

  get id(): string {
    this.#id ??= this.#call.operation.id?.(this.random) ?? ''
    return this.#id
  }

  get texts(): TextReading {
    return this.#call.target.limits
  }
}

function prepared(body: JsonObject, { dropped, spec, remedy }: Manner): JsonObject {
  const kept = withoutKeys(body, dropped)
  return spec.remedied === 'before' ? cured(kept, remedy) : kept
}

function withoutKeys(body: JsonObject, names: readonly string[]): JsonObject {
  if (names.length === 0) return body
  return Object.fromEntries(Object.entries(body).filter(([name]) => !names.includes(name)))
}
