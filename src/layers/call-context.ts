import { askedFields } from '../core/asked.ts'
import type { Call } from '../core/call.ts'
import type { Services } from '../core/services.ts'
import type { TextReading, WireContext } from '../core/wire-context.ts'
import type { JsonObject } from '../wire/json.ts'

/**
 * What the repair of a call's stream has access to. Most streams need no repair, so everything is made on first use;
 * the body is the outline, which lacks only the long texts. A class, as in `connect/context.ts`.
 */
export class CallContext implements WireContext {
  readonly #call: Call
  readonly #services: Pick<Services, 'clock' | 'random'>
  #body: JsonObject | undefined
  #id: string | undefined

  constructor(call: Call, services: Pick<Services, 'clock' | 'random'>) {
    this.#call = call
    this.#services = services
  }

  get body(): JsonObject {
    this.#body ??= askedFields(this.#call)
    return this.#body
  }

  get model(): string {
    return this.#call.target.deployment.model
  }

  get id(): string {
    this.#id ??= this.#call.operation.id?.(this.#services.random) ?? ''
    return this.#id
  }

  get created(): number {
    return Math.floor(this.#services.clock.now() / 1000)
  }

  get random(): () => number {
    return this.#services.random
  }

  /** The rest of an answer doesn't begin where a model does. */
  get texts(): TextReading | undefined {
    return this.#call.begun ? undefined : this.#call.target.limits
  }
}
