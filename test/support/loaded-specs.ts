import type { OperationSpec, ProviderDefinition, ProviderSettings } from '../../src/core/provider.ts'

/** How a provider serves its operations, with all that is otherwise loaded by their first requests. */
export async function loadedSpecs(
  provider: ProviderDefinition,
  settings: ProviderSettings,
): Promise<Readonly<Partial<Record<string, OperationSpec>>>> {
  const specs = Object.entries(provider.operations?.(settings) ?? {})
  return Object.fromEntries(
    await Promise.all(specs.map(async ([name, spec]) => [name, spec && { ...spec, ...(await spec.load?.()) }])),
  )
}
