import type { Call } from '../core/call.ts'
import type { WireContext } from '../core/provider.ts'
import type { ServedRequest } from '../core/served.ts'
import type { Services } from '../core/services.ts'
import type { Rest } from '../core/transport.ts'
import { FormBody } from '../wire/form-body.ts'
import { refused } from './refused.ts'
import { requestHeaders } from './request.ts'

/** What a provider's own code needs to answer a call. */
export function servedRequest(call: Call, context: WireContext, services: Services): ServedRequest {
  const { deployment, limits } = call.target
  const { provider } = deployment
  const { settings, callersKey, name } = provider
  return {
    context,
    form: call.body instanceof FormBody ? (call.body as FormBody<Rest>) : undefined,
    stream: call.streams,
    settings: callersKey ? { ...settings, apiKey: call.bearer } : settings,
    signal: call.signal,
    clock: services.clock,
    send: ({ url, body, rest, type, headers, anonymous = false }) =>
      services.transport(
        {
          ...{ name, url, method: body ? 'POST' : 'GET', body: body ?? [], rest },
          headers: {
            ...(anonymous ? { 'user-agent': 'samewire' } : requestHeaders(call, type)),
            accept: '*/*',
            ...headers,
          },
          connectTimeout: limits.connectTimeout,
        },
        call.signal,
      ),
    refusal: (response) => refused(response, call, services),
  }
}
