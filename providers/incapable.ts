import { GatewayError } from '../src/wire/errors.ts'

/** A 400 that names the parameter; another deployment may support it. */
export function incapable(param: string, why: string): GatewayError {
  return new GatewayError('incapable', `Unsupported parameter: '${param}'. ${why}`, { param })
}
