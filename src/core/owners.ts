/** The number of ids that are remembered. */
const most = 10_000

/**
 * Which provider made an object, by the object's id, so that later requests about it go there too. In memory: what was
 * made before a start, or in another process, is not known.
 */
export class Owners {
  readonly #providers = new Map<string, string>()

  note(id: string, provider: string): void {
    this.#providers.delete(id)
    this.#providers.set(id, provider)
    if (this.#providers.size > most) this.#providers.delete(this.#providers.keys().next().value as string)
  }

  /** The provider of the first known id in a text, such as a path or the beginning of a body. */
  findIn(text: string): string | undefined {
    if (this.#providers.size === 0) return undefined
    for (const [id] of text.matchAll(/[\w-]{4,128}/g)) {
      const provider = this.#providers.get(id)
      if (provider !== undefined) return provider
    }
    return undefined
  }
}
