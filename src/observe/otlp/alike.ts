/** What is remembered for each group, before all of it is forgotten: most requests have the facts of others. */
const most = 100

/**
 * Finds the one object for facts that are the same, so that what is written of them is written once. All facts are compared
 * as they are, and have the same names.
 */
export class Alike<Facts extends object> {
  readonly #known = new WeakMap<object, Facts[]>()

  /** `group`: what these facts belong to, and those of another never. */
  of(group: object, facts: Facts): Facts {
    const all = this.#known.get(group) ?? []
    for (const one of all) if (isSame(one, facts)) return one
    if (all.length === 0) this.#known.set(group, all)
    if (all.length >= most) all.length = 0
    all.push(facts)
    return facts
  }
}

function isSame<Facts extends object>(one: Facts, other: Facts): boolean {
  for (const name in one) if (one[name] !== other[name]) return false
  return true
}
