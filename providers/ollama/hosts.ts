/**
 * Whether a name is in Ollama's own library: `name`, `name:tag`, `namespace/name`. A longer one starts with the host
 * that Ollama would fetch it from.
 */
export function isWithoutHost(model: string): boolean {
  return /^([\w-]+\/)?\w[\w.-]*(:[\w.-]+)?$/.test(model)
}
