import { fitsPath } from '../core/patterns.ts'

/** Whether a model's name is on a list, in which `*` stands for any text without a slash; alone it allows all. */
export function allowList(models: readonly string[]): (model: string) => boolean {
  if (models.includes('*')) return () => true
  const exact = new Set(models)
  const patterns = models.filter((name) => name.includes('*'))
  return (model) => exact.has(model) || patterns.some((pattern) => fitsPath(pattern, model))
}
