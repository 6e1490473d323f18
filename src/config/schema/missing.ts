import * as v from 'valibot'
import { chosen, name } from '../values.ts'

export const policy = v.picklist(['fallback', 'error'])
const notPulledPolicy = v.picklist(['fallback', 'error', 'pull'])
/** The models that may be pulled, by the provider's names. `*` is any text without a slash: `hf.co/my-org/*`. */
const pullable = v.strictObject({ pull: v.array(name) })

export const notPulled = chosen([notPulledPolicy, pullable], (input) =>
  typeof input === 'object' && input !== null ? pullable : notPulledPolicy,
)
