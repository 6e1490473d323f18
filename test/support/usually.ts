import { inject } from 'vitest'

declare module 'vitest' {
  export interface ProvidedContext {
    long: boolean
  }
}

/** `few` with every change; `all` of it by `npm run test:long`, which runs every file that imports this. */
export function usually<T>(few: T, all: T): T {
  return inject('long') ? all : few
}
