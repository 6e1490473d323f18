import { type Catalog, type Deployment, findGroup, plainDeployment } from './core/catalog.ts'
import type { Knowledge } from './core/knowledge.ts'
import { entryOf } from './core/listed.ts'
import type { Signal } from './core/signal.ts'
import { mayPull, type Progress, type Pulls, pulls } from './layers/pulls.ts'
import { GatewayError, shorten } from './wire/errors.ts'

/** Pulls a model because a client asks for that. */
export interface Fetching {
  /**
   * Resolves when the model is there, at once if its provider has nothing to pull. Rejects with a `GatewayError` if it
   * may not be pulled, or can't be.
   */
  pull(model: string, signal: Signal, progress: Progress): Promise<void>
}

export function createFetching(catalog: Catalog, knowledge: Knowledge, running: Pulls): Fetching {
  const { known } = knowledge

  /** Where a model would be pulled to. Undefined: nowhere, since its provider just serves it. */
  function placeOf(model: string): Deployment | undefined {
    const group = findGroup(catalog, model, known)
    if (group) return group.deployments.find(({ provider }) => canPull(provider))
    const provider = [...catalog.providers.values()].find(canPull)
    if (provider) return plainDeployment(provider, model)
    throw new GatewayError('forbidden', `No provider of this gateway could pull '${shorten(model)}'.`, {
      param: 'model',
    })
  }

  return {
    async pull(model, signal, progress) {
      await knowledge.refresh()
      const place = placeOf(model)
      if (!place) return
      const { not_pulled: policy } = catalog.missing
      if (!pulls(policy) || !mayPull(place, policy)) {
        // What is there can't be asked for again, but it is there.
        if (entryOf(place.model, known.get(place.provider.name))) return
        const message = `This gateway may not pull '${shorten(model)}': its operator can allow that by \`missing.not_pulled\`.`
        throw new GatewayError('forbidden', message, { param: 'model' })
      }
      await running.wait(place, signal, progress)
      await knowledge.refresh(0)
    },
  }
}

function canPull({ definition, unavailable }: Deployment['provider']): boolean {
  return definition.pull !== undefined && unavailable === undefined
}
