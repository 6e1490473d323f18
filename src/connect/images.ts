import type { Call } from '../core/call.ts'
import type { ImageFetching } from '../core/catalog.ts'
import type { Clock } from '../core/clock.ts'
import { type Download, type Downloader, ForbiddenAddress } from '../core/download.ts'
import type { ImageAddress } from '../core/operation.ts'
import { Abort, type Signal } from '../core/signal.ts'
import { toBase64 } from '../wire/base64.ts'
import type { RequestBody } from '../wire/body.ts'
import { GatewayError, shorten } from '../wire/errors.ts'
import { isPublicAddress, isPublicHost } from '../wire/hosts.ts'
import { imageType, unsupportedImage } from '../wire/image-format.ts'
import { settledBody } from './changes.ts'

/** Bytes of all images of a request together: as many as OpenAI takes. */
const mostBytes = 20 * 1024 * 1024
/** Milliseconds for all of them. */
const patience = 15_000
const mostImages = 20
const mostRedirects = 3

/** Images by the address under which the request has them, each as a `data:` URL. */
export type Images = ReadonlyMap<string, string>

interface Needed {
  readonly download: Downloader
  readonly clock: Clock
  /** Who may be asked beside public hosts. */
  readonly fetching: ImageFetching
}

/**
 * Fetches the images of a request for upstreams that fetch none, from public hosts only: whoever may ask a model is not
 * to see, through the gateway, what only the gateway can reach.
 */
export class ImageFetcher {
  readonly #needed: Needed
  /** Several attempts, and the parts of a request, have the same images. */
  readonly #known = new WeakMap<RequestBody, Images>()

  constructor(needed: Needed) {
    this.#needed = needed
  }

  /** Rejects with a 400 that names the part whose image can't be had. */
  async imagesFor(call: Call): Promise<Images | undefined> {
    const known = this.#known.get(call.body)
    if (known) return known
    const addresses = call.operation.images?.(settledBody(call)) ?? []
    if (addresses.length === 0) return undefined
    const images = await this.#fetchAll(addresses, call.signal)
    this.#known.set(call.body, images)
    return images
  }

  async #fetchAll(addresses: readonly ImageAddress[], outer: Signal): Promise<Images> {
    const distinct = [...new Map(addresses.map((address) => [address.url, address])).values()]
    const [excess] = distinct.slice(mostImages)
    if (excess) throw refusal(excess, `Too many images: at most ${mostImages} are downloaded for a request.`)
    const abort = new Abort()
    const leave = () => abort.abort(outer.reason)
    if (outer.aborted) leave()
    outer.addEventListener('abort', leave)
    let timedOut = false
    const cancel = this.#needed.clock.after(patience, () => {
      timedOut = true
      abort.abort(new Error('timed out'))
    })
    let left = mostBytes
    const take = (bytes: number) => {
      left -= bytes
      return left >= 0
    }
    try {
      return new Map(
        await Promise.all(
          distinct.map(async (address) => {
            try {
              return [address.url, await this.#fetch(address, abort, take)] as const
            } catch (error) {
              if (outer.aborted) throw outer.reason
              throw failure(error, address, { timedOut, full: left < 0 })
            }
          }),
        ),
      )
    } finally {
      cancel()
      outer.removeEventListener('abort', leave)
      // What is still on its way is of no use once one has failed.
      abort.abort(new Error('over'))
    }
  }

  async #fetch(address: ImageAddress, signal: Signal, take: (bytes: number) => boolean): Promise<string> {
    let url = parse(address.url)
    for (let redirects = 0; ; redirects++) {
      const allowed = url && this.#isAllowed(url)
      if (!url || allowed === undefined) throw new ForbiddenAddress()
      const mayConnect = (ip: string) => allowed === 'private' || isPublicAddress(ip)
      const answer = await this.#needed.download(url, { signal, mayConnect, take })
      const next = redirectOf(answer, url)
      if (!next) return dataOf(answer, address)
      if (redirects === mostRedirects) throw new Error('too many redirects')
      url = next
    }
  }

  /** Undefined: it may not be asked. */
  #isAllowed({ protocol, host, hostname, username, password }: URL): 'public' | 'private' | undefined {
    if ((protocol !== 'http:' && protocol !== 'https:') || username !== '' || password !== '') return undefined
    const { hosts } = this.#needed.fetching
    if (hosts.has(host) || hosts.has(hostname)) return 'private'
    return isPublicHost(hostname) ? 'public' : undefined
  }
}

function parse(url: string): URL | undefined {
  return URL.canParse(url) ? new URL(url) : undefined
}

const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

function redirectOf({ status, headers }: Download, from: URL): URL | undefined {
  const { location } = headers
  if (!redirects.has(status) || location === undefined) return undefined
  return URL.canParse(location, from.href) ? new URL(location, from.href) : undefined
}

function dataOf({ status, body }: Download, address: ImageAddress): string {
  if (status !== 200) throw new Error(`HTTP ${status}`)
  const type = imageType(body)
  if (type) return `data:${type};base64,${toBase64(body)}`
  throw refusal(address, unsupportedImage)
}

function failure(
  error: unknown,
  address: ImageAddress,
  { timedOut, full }: { readonly timedOut: boolean; readonly full: boolean },
): GatewayError {
  if (error instanceof GatewayError) return error
  const url = shorten(address.url)
  if (timedOut) return refusal(address, `Timeout while downloading ${url}.`)
  if (full) return refusal(address, `Failed to download image from ${url}. Image size exceeds the limit.`)
  if (error instanceof ForbiddenAddress) {
    return refusal(address, `Failed to download image from ${url}. It is not a public http or https address.`)
  }
  return refusal(address, `Failed to download image from ${url}.`)
}

/** A 400; other providers download images themselves, so another deployment may have more luck. */
function refusal({ path }: ImageAddress, message: string): GatewayError {
  return new GatewayError('incapable', message, { param: path, code: 'invalid_image_url' })
}
