import type { Call } from '../core/call.ts'
import type { Clock } from '../core/clock.ts'
import { namesOf, readRefusal } from '../core/failure.ts'
import type { Services } from '../core/services.ts'
import type { ByteSource } from '../core/stream.ts'
import type { UpstreamResponse } from '../core/transport.ts'
import type { GatewayError } from '../wire/errors.ts'

/** Bytes of a refusal that are read; some go on for ever. */
const refusalLimit = 64 * 1024
/** Characters that are dropped of one that was cut: half a key would not be recognised as a secret. */
const cutLimit = 1024
/** Milliseconds that its body is waited for. */
const refusalPatience = 10_000

/** The failure that a response of another status than 2xx tells. */
export async function refused(response: UpstreamResponse, call: Call, { clock }: Services): Promise<GatewayError> {
  const { status, headers } = response
  const body = await opening(response.body, clock)
  return readRefusal({ status, headers, body, ...namesOf(call), now: clock.now() }, call.target.deployment.provider)
}

/** The start of a body as text. One that breaks on the way, or doesn't come, has said enough with its status. */
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
