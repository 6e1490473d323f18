import type { Call } from '../core/call.ts'
import type { Clock } from '../core/clock.ts'
import { namesOf, readRefusal } from '../core/failure.ts'
import type { Services } from '../core/services.ts'
import type { ByteSource } from '../core/stream.ts'
import type { UpstreamResponse } from '../core/transport.ts'
import type { GatewayError } from '../wire/errors.ts'

/** Maximum characters read from an error body; some servers never end one. */
const refusalLimit = 64 * 1024
/** Characters dropped from the end of a cut body, since half a key would not be recognised as a secret. */
const cutLimit = 1024
/** How long to wait for the body, in milliseconds. */
const refusalPatience = 10_000

/** The failure that a non-2xx response reports. */
export async function refused(response: UpstreamResponse, call: Call, { clock }: Services): Promise<GatewayError> {
  const { status, headers } = response
  const body = await opening(response.body, clock)
  const told = { status, headers, body, ...namesOf(call), now: clock.now() }
  const failure = readRefusal(told, call.target.deployment.provider)
  failure.upstreamStatus = status
  return failure
}

/** The start of a body as text. If the body breaks off or doesn't arrive, what has arrived is enough. */
export function opening(stream: ByteSource, clock: Clock): Promise<string> {
  return new Promise((resolve) => {
    const decoder = new TextDecoder()
    let text = ''
    const stop = () => {
      cancel()
      stream.cancel('enough was read')
      resolve(text.length < refusalLimit ? text : text.slice(0, -cutLimit))
    }
    const cancel = clock.after(refusalPatience, stop)
    const finish = () => {
      cancel()
      resolve(text)
    }
    stream.pipe({
      chunk(bytes) {
        text += decoder.decode(bytes, { stream: true })
        if (text.length >= refusalLimit) stop()
      },
      end: finish,
      fail: finish,
    })
  })
}
