import { type Catalog, findGroup, type ModelGroup } from './core/catalog.ts'
import { factsOfAll } from './core/group-facts.ts'
import type { Knowledge } from './core/knowledge.ts'
import { entryOf } from './core/listed.ts'
import { makePattern, matchPattern } from './core/patterns.ts'
import { fieldsOf, type ListedModel } from './wire/listed-model.ts'

/** The models that clients can name: the configured ones, and all that the providers list. */
export interface Directory {
  models(): Promise<readonly ListedModel[]>
  model(id: string): Promise<ListedModel | undefined>
}

/** How many models are listed for one name with a `*`. */
const mostOfPattern = 1_000

/** `started` is told where nobody says when a model was created. */
export function createDirectory(catalog: Catalog, knowledge: Knowledge, started: number): Directory {
  const { known } = knowledge

  function described({ name, deployments }: ModelGroup): ListedModel {
    const [first] = deployments
    const entry = first && entryOf(first.model, known.get(first.provider.name))
    const isSame = first === undefined || first.label === name || first.label === `${name}:latest`
    return {
      id: name,
      object: 'model',
      created: (catalog.models.has(name) ? undefined : entry?.created) ?? started,
      owned_by: first?.provider.name ?? 'samewire',
      name,
      ...(!isSame && { root: first.label }),
      ...fieldsOf(factsOfAll(deployments, known)),
    }
  }

  /** The names that a pattern stands for, by the lists of the providers behind it. */
  function namesOf({ name, deployments }: ModelGroup): readonly string[] {
    const [before = '', after = ''] = name.split('*')
    const middles = new Set<string>()
    for (const { provider, model } of deployments) {
      // All names go to one model: there is no end to them.
      if (!model.includes('*')) continue
      const pattern = makePattern(model)
      for (const id of known.get(provider.name)?.keys() ?? []) {
        const middle = matchPattern(pattern, id)
        if (middle !== undefined && middles.size < mostOfPattern) middles.add(middle)
      }
    }
    return [...middles].map((middle) => before + middle + after)
  }

  /** `provider/model` comes before any pattern. */
  const isDirect = (id: string) => id.includes('/') && catalog.providers.has(id.slice(0, id.indexOf('/')))

  return {
    async models() {
      await knowledge.refresh()
      const all = new Map<string, ListedModel>()
      function add(id: string, group: ModelGroup | undefined): void {
        if (group && !all.has(id)) all.set(id, described({ ...group, name: id }))
      }
      for (const group of catalog.models.values()) add(group.name, group)
      for (const group of catalog.patterns.values) {
        if (group.name.split('*').length !== 2) continue
        for (const id of namesOf(group)) if (!isDirect(id)) add(id, findGroup(catalog, id, known))
      }
      for (const [provider, list] of known) {
        for (const id of list.keys()) add(`${provider}/${id}`, findGroup(catalog, `${provider}/${id}`, known))
      }
      return [...all.values()]
    },

    async model(id) {
      await knowledge.refresh()
      const group = findGroup(catalog, id, known)
      const [deployment] = group?.deployments ?? []
      if (!group || !deployment) return undefined
      const list = known.get(deployment.provider.name)
      // Configured names always exist; any other name must be on the provider's list, if there is one.
      if (!catalog.models.has(group.name) && list && list.size > 0 && !entryOf(deployment.model, list)) return undefined
      return described({ ...group, name: id })
    },
  }
}
