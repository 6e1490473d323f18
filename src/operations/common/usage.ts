import { isObject, type JsonObject, objectAt } from '../../wire/json.ts'

/** With the service tier, which many tell beside it. */
export function usageIn(answer: JsonObject): JsonObject | undefined {
  const usage = objectAt(answer, 'usage')
  const { service_tier: tier } = answer
  return usage && typeof tier === 'string' && tier !== 'default' ? { service_tier: tier, ...usage } : usage
}

/** The sum of two usages: counts are added, in their details too; of anything else the first value stays. */
export function addedUsage(one: unknown, other: unknown): unknown {
  if (typeof one === 'number' && typeof other === 'number') return one + other
  if (isObject(one) && isObject(other)) {
    const names = [...new Set([...Object.keys(one), ...Object.keys(other)])]
    return Object.fromEntries(names.map((name) => [name, addedUsage(one[name], other[name])]))
  }
  return one ?? other
}
