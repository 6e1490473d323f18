import type { Draft, DraftModel } from './draft.ts'

/**
 * Sets the models' fallbacks, by model. Other gateways try the fallbacks of a fallback too, and allow circles: a model that
 * was tried isn't tried again. Here fallbacks may not go in a circle. So where they do, a model gets the whole order, with
 * copies of the models that would lead back; a copy has no fallbacks. Returns the models that got copies.
 */
export function setFallbacks(draft: Draft, asked: ReadonlyMap<string, readonly string[]>): Set<string> {
  const circular = new Set<string>()
  const wanted = new Map(
    [...asked].map(([name, list]) => [
      name,
      list.map((other) => behind(other, draft)).filter((other) => other !== name),
    ]),
  )
  for (const [name, list] of wanted) {
    const model = draft.models.get(name)
    if (!model) continue
    const inCircle = reaches(name, name, wanted)
    if (inCircle) circular.add(name)
    const fallbacks = inCircle
      ? wholeOrder(name, wanted).map((other) => aloneIf(other, name, draft, wanted))
      : [...list]
    if (fallbacks.length > 0) Object.assign(model.fields, { fallbacks })
  }
  return circular
}

/** The model that an alias stands for. */
function behind(name: string, draft: Draft): string {
  const target = draft.aliases.get(name)
  return target === undefined ? name : behind(target, draft)
}

function reaches(from: string, to: string, wanted: ReadonlyMap<string, readonly string[]>): boolean {
  const seen = new Set<string>()
  const open = [from]
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    for (const next of wanted.get(name) ?? []) {
      if (next === to) return true
      if (!seen.has(next)) open.push(next)
      seen.add(next)
    }
  }
  return false
}

/** All that would be tried after a model, each once, as deep as it goes. */
function wholeOrder(name: string, wanted: ReadonlyMap<string, readonly string[]>): string[] {
  const order = new Set([name])
  const add = (from: string) => {
    for (const next of wanted.get(from) ?? []) {
      if (order.has(next)) continue
      order.add(next)
      add(next)
    }
  }
  add(name)
  return [...order].slice(1)
}

/** The model itself, or its copy if its own fallbacks lead back to `from`. */
function aloneIf(name: string, from: string, draft: Draft, wanted: ReadonlyMap<string, readonly string[]>): string {
  const model = draft.models.get(name)
  if (!model || !reaches(name, from, wanted)) return name
  return copyOf(name, model, draft)
}

function copyOf(name: string, model: DraftModel, draft: Draft): string {
  const copy = `${name}-alone`
  if (draft.models.has(copy)) return copy
  const { fallbacks: _, contextWindowFallbacks: _2, contentPolicyFallbacks: _3, shadow: _4, ...fields } = model.fields
  draft.models.set(copy, { deployments: model.deployments, fields })
  return copy
}

/** Makes a model of an alias, which then can have fallbacks of its own. */
export function modelOfAlias(alias: string, draft: Draft): void {
  const target = draft.models.get(draft.aliases.get(alias) ?? '')
  if (!target) return
  draft.aliases.delete(alias)
  const { fallbacks: _, ...fields } = target.fields
  draft.models.set(alias, { deployments: target.deployments, fields })
}
