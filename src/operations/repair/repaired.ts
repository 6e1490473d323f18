import type { OperationSpec } from '../../core/provider.ts'

/**
 * The operation of a server that is known to deviate from OpenAI's format: it is repaired before anything else reads it,
 * and its answers get all keys that OpenAI sends. Other servers are repaired only where something is wrong.
 */
export function repaired(spec: OperationSpec): OperationSpec {
  return {
    ...spec,
    async load() {
      const [{ repairedWire }, wire] = await Promise.all([import('./index.ts'), spec.load?.()])
      return repairedWire({ ...spec, ...wire })
    },
  }
}
