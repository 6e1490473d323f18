import type { Downloader } from '../core/download.ts'
import { concat } from '../wire/block.ts'

/** Downloads through `fetch`. It resolves names by itself, so only addresses in the URL can be checked, by the caller. */
export function createFetchDownload(send: typeof fetch): Downloader {
  return async (url, { signal, take }) => {
    signal.throwIfAborted()
    const abort = new AbortController()
    const leave = () => abort.abort(signal.reason)
    signal.addEventListener('abort', leave)
    try {
      const headers = { accept: 'image/*', 'user-agent': 'samewire' }
      const response = await send(url.href, { redirect: 'manual', headers, signal: abort.signal })
      const pieces: Uint8Array[] = []
      for await (const piece of response.body ?? []) {
        if (!take(piece.length)) throw new Error('too large')
        pieces.push(piece)
      }
      return { status: response.status, headers: Object.fromEntries(response.headers), body: concat(pieces) }
    } finally {
      signal.removeEventListener('abort', leave)
    }
  }
}
