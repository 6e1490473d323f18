import type { Call } from '../core/call.ts'
import type { Download } from '../core/download.ts'
import type { WireContext } from '../core/provider.ts'
import type { ServedRequest } from '../core/served.ts'
import type { Services } from '../core/services.ts'
import type { Rest } from '../core/transport.ts'
import { isFormBody } from '../wire/body-kinds.ts'
import { GatewayError } from '../wire/errors.ts'
import { isPublicAddress, isPublicHost } from '../wire/hosts.ts'
import { refused } from './refused.ts'
import { requestHeaders } from './request.ts'
import { answerLimit } from './whole.ts'

/** What a provider's own code needs to answer a call. */
export function servedRequest(call: Call, context: WireContext, services: Services): ServedRequest {
  const { deployment, limits } = call.target
  const { settings, callersKey, name } = deployment.provider
  return {
    context,
    form: isFormBody<Rest>(call.body) ? call.body : undefined,
    stream: call.streams,
    settings: callersKey ? { ...settings, apiKey: call.bearer } : settings,
    signal: call.signal,
    clock: services.clock,
    send: ({ url, body, rest, type, headers, anonymous }) =>
      services.transport(
        {
          ...{ name, url, method: body ? 'POST' : 'GET', body: body ?? [], rest },
          headers: {
            ...(anonymous ? { 'user-agent': 'samewire' } : requestHeaders(call, type)),
            accept: '*/*',
            ...headers,
          },
          connectTimeout: limits.connectTimeout,
          isPaid: call.trace.admission?.isPaid,
        },
        call.signal,
      ),
    download: (url) => download(url, call, services),
    refusal: (response) => refused(response, call, services),
  }
}

async function download(address: string, call: Call, { download: fetched }: Services): Promise<Download> {
  const { provider } = call.target.deployment
  const url = URL.canParse(address) ? new URL(address) : undefined
  const isOwn = url?.origin === new URL(provider.settings.baseURL).origin
  const failed = (why: string) =>
    new GatewayError('protocol', `${provider.name} made a file that can't be had: ${why}.`)
  if (!url || !fetched) throw failed('it has no address')
  if (!isOwn && (url.protocol !== 'https:' || !isPublicHost(url.hostname))) throw failed('its address is not public')
  let left = answerLimit
  const take = (bytes: number) => {
    left -= bytes
    return left >= 0
  }
  const mayConnect = (ip: string) => isOwn || isPublicAddress(ip)
  const file = await fetched(url, { signal: call.signal, mayConnect, take }).catch((cause: unknown) => {
    call.signal.throwIfAborted()
    throw new GatewayError('network', `A file that ${provider.name} made could not be fetched.`, { cause })
  })
  if (file.status !== 200) throw failed(`HTTP ${file.status}`)
  return file
}
