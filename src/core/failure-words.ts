import { lateValue } from './late.ts'

/** How upstreams word their failures: long lists, loaded before the first exchange. Until then no upstream has failed. */
export const failureWords = lateValue(async () => {
  const [{ wordings }, { partWordings }] = await Promise.all([import('./wordings.ts'), import('./part-wordings.ts')])
  return { wordings, partWordings }
})
