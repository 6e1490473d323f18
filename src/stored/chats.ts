import { type Answer, withStep } from '../core/answer.ts'
import type { Step } from '../core/stream.ts'
import { accumulateChat } from '../operations/choices/accumulate.ts'
import { mostCharacters } from '../state/objects.ts'
import type { RequestBody } from '../wire/body.ts'
import { identifier } from '../wire/ids.ts'
import { isObject, type JsonObject, tryParse } from '../wire/json.ts'
import { EventReader } from '../wire/sse.ts'
import { heldBack } from './held-back.ts'
import { isId, type Keeping } from './keeping.ts'

/** What of a request is told with its chat. */
const told = ['temperature', 'top_p', 'presence_penalty', 'frequency_penalty', 'seed', 'tools', 'tool_choice']
  .concat(['response_format', 'service_tier'])
  .map((name) => [name, null] as const)

/** The same answer, which is kept once it is there. */
export async function keptChat(answer: Answer, body: RequestBody, owner: string, keeping: Keeping): Promise<Answer> {
  const keep = async (chat: JsonObject) => {
    if (!isId(chat.id)) return
    const { messages, metadata } = body.json
    const fields = Object.fromEntries(told.map(([name, none]) => [name, body.json[name] ?? none]))
    const completion = { ...fields, ...chat, metadata: metadata ?? {} }
    const { id } = chat
    const isNoted = keeping.passesOn ? keeping.note([{ owner, kind: 'item', id }], null) : undefined
    await Promise.all([keeping.put({ owner, kind: 'chat', id }, { completion, messages }), isNoted])
  }
  if (!(answer.body instanceof Uint8Array)) {
    let writing: Promise<unknown> | undefined
    const whole = keepingWhole((chat) => {
      writing = keeping.within(keep(chat))
    }, keeping)
    return heldBack(withStep(answer, whole), () => writing, keeping.clock)
  }
  const chat = tryParse(new TextDecoder().decode(answer.body))
  if (isObject(chat)) await keep(chat)
  return answer
}

/** Keeps what a stream amounts to, if all of it has come. */
function keepingWhole(keep: (chat: JsonObject) => void, { random, seconds }: Keeping): Step {
  const reader = new EventReader()
  const chunks: JsonObject[] = []
  let size = 0
  const see = (bytes: Uint8Array) => {
    size += bytes.length
    if (size > mostCharacters) return void chunks.splice(0)
    for (const { data } of reader.read(bytes)) {
      const chunk = data === '[DONE]' ? undefined : tryParse(data)
      if (isObject(chunk)) chunks.push(chunk)
      else if (data === '[DONE]' && isWhole(chunks)) {
        const context = { body: {}, model: '', id: identifier('chatcmpl-', random), created: seconds, random }
        keep(accumulateChat(chunks.splice(0), context))
      }
    }
  }
  return { watch: { see }, carried: 'watch' }
}

function isWhole(chunks: readonly JsonObject[]): boolean {
  return chunks.length > 0 && !chunks.some(({ error }) => error !== undefined && error !== null)
}
