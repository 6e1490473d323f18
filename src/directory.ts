import { type Catalog, findGroup } from './core/catalog.ts'
import type { Knowledge } from './core/knowledge.ts'
import { entryOf } from './core/listed.ts'

/** A model in OpenAI's format. `created` in seconds since 1970. */
export interface ListedModel {
  readonly id: string
  readonly object: 'model'
  readonly created: number
  readonly owned_by: string
}

/** The models that clients can name: the configured ones, and all that the providers list. */
export interface Directory {
  models(): Promise<readonly ListedModel[]>
  model(id: string): Promise<ListedModel | undefined>
}

/** `started` is told where nobody says when a model was created. */
export function createDirectory(catalog: Catalog, knowledge: Knowledge, started: number): Directory {
  const listed = (id: string, created: number | undefined, owner: string): ListedModel => ({
    id,
    object: 'model',
    created: created ?? started,
    owned_by: owner,
  })

  return {
    async models() {
      await knowledge.refresh()
      const all = new Map<string, ListedModel>()
      for (const group of catalog.models.values()) {
        all.set(group.name, listed(group.name, undefined, group.deployments[0]?.provider.name ?? 'samewire'))
      }
      for (const [provider, list] of knowledge.known) {
        for (const { id, created } of list.values())
          all.set(`${provider}/${id}`, listed(`${provider}/${id}`, created, provider))
      }
      return [...all.values()]
    },

    async model(id) {
      await knowledge.refresh()
      const [deployment] = findGroup(catalog, id, knowledge.known)?.deployments ?? []
      if (!deployment) return undefined
      const list = knowledge.known.get(deployment.provider.name)
      const entry = entryOf(deployment.model, list)
      // Configured names always exist; any other name must be on the provider's list, if there is one.
      if (!entry && list && list.size > 0 && !catalog.models.has(id)) return undefined
      return listed(id, entry?.created, deployment.provider.name)
    },
  }
}
