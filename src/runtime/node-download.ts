import { lookup as resolve } from 'node:dns'
import { get, type IncomingMessage } from 'node:http'
import { get as getSecure } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { type Downloader, ForbiddenAddress } from '../core/download.ts'
import { concat } from '../wire/block.ts'

/**
 * Downloads through `node:http`, which connects to exactly the address that was checked: the name is resolved once, here,
 * and a name that resolves to several addresses is refused if one of them is.
 */
export const nodeDownload: Downloader = (url, { signal, mayConnect, take }) =>
  new Promise((settle, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const literal = url.hostname.replace(/^\[|\]$/g, '')
    if (isIP(literal) && !mayConnect(literal)) return reject(new ForbiddenAddress())
    const request = (url.protocol === 'https:' ? getSecure : get)(url, {
      agent: false,
      lookup: checkedLookup(mayConnect),
      headers: { accept: 'image/*', 'accept-encoding': 'identity', 'user-agent': 'samewire' },
    })
    const abort = () => request.destroy(signal.reason instanceof Error ? signal.reason : new Error('aborted'))
    signal.addEventListener('abort', abort)
    const free = () => signal.removeEventListener('abort', abort)
    const fail = (error: unknown) => {
      free()
      request.destroy()
      reject(error)
    }
    request.on('error', fail)
    request.on('response', (response) => {
      collect(response, take).then((body) => {
        free()
        settle({ status: response.statusCode ?? 0, headers: headersOf(response), body })
      }, fail)
    })
  })

function checkedLookup(mayConnect: (address: string) => boolean): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, [])
      if (!addresses.every(({ address }) => mayConnect(address))) return callback(new ForbiddenAddress(), [])
      const [first] = addresses
      if (options.all || !first) callback(null, addresses)
      else callback(null, first.address, first.family)
    })
  }
}

async function collect(response: IncomingMessage, take: (bytes: number) => boolean): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  for await (const piece of response as AsyncIterable<Uint8Array>) {
    if (!take(piece.length)) throw new Error('too large')
    pieces.push(piece)
  }
  return concat(pieces)
}

function headersOf({ headers }: IncomingMessage): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))
}
