import { pathText } from './problems.ts'
import type { ModelConfig } from './schema.ts'

/** Adds to `problems` every circle that fallbacks go in; aliases alone are looked at where they are followed. */
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
    // Not a loop: it would not leave out the holes where something was refused.
    next.forEach((following) => {
      visit(following, [...trail, name])
    })
    clear.add(name)
  }
  for (const name of Object.keys(models)) if (!isAlias(name)) visit(name, [])
}
