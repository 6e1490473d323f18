import type { Deployment } from './catalog.ts'
import { rankOf } from './preferences.ts'

/** Runs of deployments with the same priority. They are in its order. */
export function levelsOf(deployments: readonly Deployment[]): readonly (readonly Deployment[])[] {
  if (deployments[0]?.order === deployments.at(-1)?.order) return [deployments]
  const orders = new Set(deployments.map(({ order }) => order))
  return [...orders].map((order) => deployments.filter((deployment) => deployment.order === order))
}

/** The same by provider: first those that the request wants first. */
export function preferredLevels(deployments: readonly Deployment[], order: readonly string[]) {
  return [...order.keys(), order.length].flatMap((rank) =>
    levelsOf(deployments.filter((deployment) => rankOf(deployment, order) === rank)),
  )
}
