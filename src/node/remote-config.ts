import type { ConfigControl, ConfigState, Reload } from '../admin/control.ts'
import type { Report } from '../runtime/worker-messages.ts'

/** What a worker asks its parent process about the configuration. */
export type ConfigQuestion =
  | { readonly about: 'state' }
  | { readonly about: 'reload' }
  | { readonly about: 'rollback'; readonly hash: string | undefined }

/** The parent's answer. */
export async function answerConfig(question: unknown, control: ConfigControl): Promise<unknown> {
  const asked = question as ConfigQuestion
  if (asked.about === 'state') return await control.state()
  return await (asked.about === 'reload' ? control.reload() : control.rollback(asked.hash))
}

/** In a worker: the configuration that its parent process changes in all workers. */
export class RemoteConfig implements ConfigControl {
  readonly #tell: (report: Report) => void
  readonly #open = new Map<number, PromiseWithResolvers<unknown>>()
  #count = 0

  constructor(tell: (report: Report) => void) {
    this.#tell = tell
  }

  state = () => this.#ask({ about: 'state' }) as Promise<ConfigState>
  reload = () => this.#ask({ about: 'reload' }) as Promise<Reload>
  rollback = (hash: string | undefined) => this.#ask({ about: 'rollback', hash }) as Promise<Reload | undefined>

  /** The parent has answered. */
  answered(id: number, value: unknown, failure: string | undefined): void {
    const waiting = this.#open.get(id)
    this.#open.delete(id)
    if (failure === undefined) waiting?.resolve(value)
    else waiting?.reject(new Error(failure))
  }

  #ask(question: ConfigQuestion): Promise<unknown> {
    const waiting = Promise.withResolvers<unknown>()
    this.#open.set(++this.#count, waiting)
    this.#tell({ kind: 'ask', id: this.#count, question })
    return waiting.promise
  }
}
