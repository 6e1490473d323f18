import { pathText } from './problems.ts'
import type { ModelConfig } from './schema.ts'

/** Adds to `problems` every cycle of fallbacks. Cycles of aliases alone are found where aliases are resolved. */
export function checkCircles(models: Readonly<Record<string, ModelConfig>>, problems: string[]): void {
  const clear = new Set<string>()
  const isAlias = (name: string) => typeof models[name] === 'string'
  const visit = (name: string, trail: readonly string[]): void => {
    const start = trail.indexOf(name)
    if (start >= 0) {
      const circle = [...trail.slice(start), name]
      if (circle.every(isAlias)) return
      problems.push(`${pathText(['models', name, 'fallbacks'])}: the fallbacks go in a circle (${circle.join(' → ')})`)
      return
    }
    if (clear.has(name)) return
    const config = Object.hasOwn(models, name) ? models[name] : undefined
    const next = config === undefined ? [] : typeof config === 'string' ? [config] : (config.fallbacks ?? [])
    // `forEach` skips the holes where an entry was rejected; a `for` loop would not.
    next.forEach((following) => {
      visit(following, [...trail, name])
    })
    clear.add(name)
  }
  for (const name of Object.keys(models)) if (!isAlias(name)) visit(name, [])
}
