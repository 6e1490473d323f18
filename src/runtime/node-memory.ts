import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Bytes of uploads after which their buffers are freed. */
const step = 8 * 1024 * 1024

let uploaded = 0
let collect: ((options: { readonly type: 'minor' }) => void) | undefined

/**
 * To be told of each piece of an upload that streams through. V8 doesn't see the memory behind a socket's buffers until
 * there are 64 MB of it, so it is told to look for young ones that nobody holds: about a millisecond for 8 MB.
 */
export function noteUpload(bytes: number): void {
  uploaded += bytes
  if (uploaded < step) return
  uploaded = 0
  collect ??= exposed()
  collect({ type: 'minor' })
}

function exposed(): typeof collect & {} {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as typeof collect & {}
  setFlagsFromString('--no-expose-gc')
  return gc
}
