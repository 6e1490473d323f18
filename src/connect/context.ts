import type { Call } from '../core/call.ts'
import type { Clock } from '../core/clock.ts'
import type { WireContext } from '../core/provider.ts'
import type { Services } from '../core/services.ts'
import type { TextReading } from '../core/wire-context.ts'
import type { JsonObject } from '../wire/json.ts'
import { askedBody } from './changes.ts'
import type { Images } from './images.ts'

/** What was settled about a request before it is translated. */
export interface Preparation {
  /** The fields that are left out. */
  readonly dropped: readonly string[]
  /** Those that were fetched for it. */
  readonly images?: Images | undefined
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
  readonly #dropped: readonly string[]
  readonly images: Images | undefined

  constructor(call: Call, { clock, random }: Services, { dropped, images }: Preparation) {
    this.#call = call
    this.#dropped = dropped
    this.images = images
    this.#clock = clock
    this.random = random
  }

  get body(): JsonObject {
    this.#body ??= withoutKeys(askedBody(this.#call), this.#dropped)
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

  get id(): string {
    this.#id ??= this.#call.operation.id?.(this.random) ?? ''
    return this.#id
  }

  get texts(): TextReading {
    return this.#call.target.limits
  }
}

function withoutKeys(body: JsonObject, names: readonly string[]): JsonObject {
  if (names.length === 0) return body
  return Object.fromEntries(Object.entries(body).filter(([name]) => !names.includes(name)))
}
