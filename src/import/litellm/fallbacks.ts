import { isObject } from '../../wire/json.ts'
import type { Draft } from '../draft.ts'
import { modelOfAlias, setFallbacks } from '../fallbacks.ts'
import type { Item } from '../notes.ts'
import type { Path } from '../source.ts'

/** By model, and `*` for those that have none of their own. */
type Lists = Map<string, string[]>

/** The three kinds of fallbacks. https://docs.litellm.ai/docs/proxy/reliability */
export function readFallbacks(router: Item, settings: Item, draft: Draft): void {
  const general: Lists = new Map()
  const longer: Lists = new Map()
  const freer: Lists = new Map()
  for (const item of [settings, router]) {
    readLists(item, 'fallbacks', general, draft)
    readLists(item, 'context_window_fallbacks', longer, draft)
    readLists(item, 'content_policy_fallbacks', freer, draft)
  }
  const rest = [...defaultsOf(settings, draft), ...defaultsOf(router, draft)]
  if (rest.length > 0 && !general.has('*')) general.set('*', rest)
  spread(general, draft)
  spread(longer, draft)
  spread(freer, draft)
  for (const [key, lists] of [
    ['contextWindowFallbacks', longer],
    ['contentPolicyFallbacks', freer],
  ] as const) {
    for (const [name, list] of lists) {
      const model = draft.models.get(name)
      if (model && list.length > 0) Object.assign(model.fields, { [key]: list })
    }
  }
  for (const name of setFallbacks(draft, general)) {
    const path = ['models', name, 'fallbacks']
    router.notes.changed(
      placeFor(router, settings),
      'fallbacks that go in a circle are written out, with copies',
      () => path,
    )
  }
}

function placeFor(router: Item, settings: Item): Path {
  for (const item of [router, settings]) {
    for (const key of ['fallbacks', 'default_fallbacks']) if (item.has(key)) return item.at(key)
  }
  return router.path
}

/** `[{ model: [other, …] }, …]`, with names that are models here. */
function readLists(item: Item, key: string, into: Lists, draft: Draft): void {
  for (const { value, path } of item.list(key)) {
    const { notes } = item
    if (typeof value === 'string') {
      // An old form: a fallback of every model.
      if (accept(value, path)) into.set('*', [...(into.get('*') ?? []), value])
      continue
    }
    if (!isObject(value)) {
      notes.lost(path, 'no object of a model with its fallbacks')
      continue
    }
    for (const [name, others] of Object.entries(value)) {
      const place = [...path, name]
      if (name !== '*' && !draft.models.has(name) && draft.aliases.has(name)) modelOfAlias(name, draft)
      if (name !== '*' && !((draft.models.get(name)?.deployments.length ?? 0) > 0)) {
        notes.lost(place, 'it is no model that is carried', () => ['models'])
        continue
      }
      const list = (Array.isArray(others) ? others : [others]).flatMap((other: unknown, at) => {
        const called = isObject(other) ? other.model : other
        const where = [...place, at]
        if (!accept(called, where, name)) return []
        if (isObject(other) && Object.keys(other).length > 1) {
          notes.lost(where, 'a fallback gets the request as it is: its other fields are left out', () => [
            'models',
            name,
          ])
        }
        return [called as string]
      })
      into.set(name, [...new Set(list)])
    }
  }

  function accept(called: unknown, path: Path, of?: string): boolean {
    const known = typeof called === 'string' && !called.includes('*') && draft.serves(called) && called !== of
    if (known) item.notes.carried(path)
    else
      item.notes.lost(path, 'it is no other model that is carried', () =>
        of && of !== '*' ? ['models', of] : ['models'],
      )
    return known
  }
}

function defaultsOf(item: Item, draft: Draft): string[] {
  return item.list('default_fallbacks').flatMap(({ value, path }) => {
    if (typeof value !== 'string' || value.includes('*') || !draft.serves(value)) {
      item.notes.lost(path, 'it is no model that is carried', () => ['models'])
      return []
    }
    item.notes.carried(path)
    return [value]
  })
}

/** Gives the fallbacks of `*` to all models that have none of their own. */
function spread(lists: Lists, draft: Draft): void {
  const rest = lists.get('*')
  lists.delete('*')
  if (!rest) return
  for (const [name, { deployments }] of draft.models) {
    if (!lists.has(name) && deployments.length > 0)
      lists.set(
        name,
        rest.filter((other) => other !== name),
      )
  }
}
