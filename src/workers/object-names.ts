import type { Key } from '../state/key.ts'
import type { MeterName } from '../state/meters.ts'

type Holder = Pick<Key, 'id' | 'home' | 'project'>

/**
 * The object that counts what is a key's own: the one of the project that it was made in, together with what keys have in
 * common there. It stays there wherever the key is moved: what it has spent is never left behind.
 */
export const objectOfKey = ({ id, home }: Holder): string => (home === undefined ? id : `project:${home}`)

/** The object that counts what a request of a key takes of a limit, or holds of a meter. */
export function objectOf(subject: string, key: Holder): string {
  const whose = ownerIn(subject)
  if (whose.startsWith('project:')) return `project:${key.project}`
  // One for all who ask the model.
  return whose.startsWith('model:') ? whose : objectOfKey(key)
}

/** The object that keeps a meter, if there is no request. */
export function objectOfMeter({ subject, home }: MeterName): string {
  const whose = ownerIn(subject)
  const id = whose.slice(whose.indexOf(':') + 1)
  return objectOf(subject, { id, project: id, ...(home !== undefined && { home }) })
}

const ownerIn = (subject: string) => subject.replace(/^parallel:/, '')
