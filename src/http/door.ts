import { GatewayError, shorten } from '../wire/errors.ts'
import { isForm } from '../wire/form-type.ts'
import { type HeaderReader, headerValue, isJson } from '../wire/headers.ts'

/**
 * The access check of a gateway without a key, which must not let in every web page that is open in a browser on this
 * machine. A page on another site can reach loopback in two ways: by its own name, if that resolves to 127.0.0.1
 * (`Host` shows it), and from its own origin, if no preflight is needed (`Origin`, `Sec-Fetch-Site` and the content type
 * show it).
 * Returns a check that throws a 403.
 */
export function createDoor({
  allowedHosts = [],
  allowedOrigins = [],
}: {
  readonly allowedHosts?: readonly string[]
  readonly allowedOrigins?: readonly string[]
}): (header: HeaderReader, method: 'GET' | 'POST', anyType?: boolean) => void {
  const hosts = new Set(allowedHosts.map((host) => host.toLowerCase()))
  const origins = new Set(allowedOrigins.map((origin) => origin.toLowerCase()))
  const knows = (host: string) => hosts.has(host) || hosts.has(withoutPort(host)) || isLoopbackHost(host)
  const trusts = (origin: string) => origins.has('*') || origins.has(origin) || isLoopbackOrigin(origin)

  return function refuseStrangers(header, method, anyType = false) {
    const host = header('host')?.toLowerCase()
    if (host !== undefined && !knows(host)) throw forbidden(`the host "${told(host)}"`, 'allowedHosts')
    const origin = header('origin')?.toLowerCase()
    if (origin !== undefined && !trusts(origin)) throw forbidden(`the origin "${told(origin)}"`, 'allowedOrigins')
    const type = header('content-type')
    if (method === 'GET' || (type !== undefined && isJson(type))) return
    // Without a preflight a page can send these too, but no browser does so without telling where the page is from.
    const isForeign = origin === undefined && !['same-origin', 'none', undefined].includes(header('sec-fetch-site'))
    if (isForeign) throw forbidden("another site's page", 'allowedOrigins')
    if (anyType || (type === undefined ? isEmpty(header) : isForm(type))) return
    throw new GatewayError(
      'forbidden',
      'This gateway has no key, so it takes "Content-Type: application/json" or "multipart/form-data" only, found ' +
        `${type === undefined ? 'none' : `"${told(type)}"`}. Send that header, or set SAMEWIRE_KEY.`,
    )
  }
}

function isEmpty(header: HeaderReader): boolean {
  return Number(header('content-length') ?? 0) === 0 && header('transfer-encoding') === undefined
}

function forbidden(what: string, setting: string): GatewayError {
  const message = `This gateway has no key, so it answers this machine only, not ${what}. Add it to \`${setting}\` in the configuration, or set SAMEWIRE_KEY.`
  return new GatewayError('forbidden', message)
}

const told = (value: string) => shorten(headerValue(value))

function withoutPort(host: string): string {
  return host.replace(/:\d*$/, '')
}

/** `localhost`, names that end in `.localhost`, and loopback addresses, with or without a port. */
function isLoopbackHost(host: string): boolean {
  return /^((.+\.)?localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(withoutPort(host))
}

function isLoopbackOrigin(origin: string): boolean {
  const host = /^https?:\/\/([^/]+)$/.exec(origin)?.[1]
  return host !== undefined && isLoopbackHost(host)
}
