import type { Said } from '../../contract/read.ts'
import { openaiRequests } from '../../contract/subjects.ts'
import type { Ask } from '../cells.ts'
import type { Target } from '../targets.ts'

/** What is wrong with what a model says, of a chat or of a response. */
export type Check = (said: Said) => string | undefined

export const speaks: Check = ({ content, finish }) =>
  content !== '' && finish === 'stop' ? undefined : `it says ${JSON.stringify(content)} and stops for ${finish}`

export const calls =
  (count: number): Check =>
  (said) => {
    const names = said.calls.map(({ name }) => name)
    if (said.finish !== 'tool_calls') return `it stops for ${said.finish}`
    return names.length === count && names.every((name) => name === 'get_weather') ? undefined : `it calls ${names}`
  }

export const obeys: Check = ({ content }) => {
  const { ok, color, ...rest } = JSON.parse(content) as Record<string, unknown>
  const fits = typeof ok === 'boolean' && ['red', 'green'].includes(String(color)) && Object.keys(rest).length === 0
  return fits ? undefined : `it says ${content}`
}

export const thinks: Check = ({ reasoning, content }) => {
  if (reasoning === '') return 'it gives no reasoning'
  return content.includes('<think>') ? 'its reasoning is in the text' : undefined
}

/** A model that reads no images and answers all the same has not read this one. */
export const sees =
  ({ server }: Target): Check =>
  (said) =>
    server === 'scripted' || server === 'live' ? speaks(said) : 'the image is dropped in silence'

/** A server without grammars is asked in words, which its recorded model is too small for: another one's answer. */
export function withObedience<A extends Pick<Ask, 'upstream'>>({ server, subject }: Target, ask: A): A {
  const label = String(ask.upstream)
  if (server !== 'recorded' || subject?.chats.chat_json_schema) return ask
  const { body = '' } = openaiRequests.cases.find((entry) => entry.label === label)?.response ?? {}
  const type = label.endsWith('_stream') ? 'text/event-stream' : 'application/json'
  return { ...ask, upstream: { status: 200, headers: { 'content-type': type }, body } }
}

/** `transformers serve` decodes its recorded model's thoughts away: none of them are in its answers. */
export const losesThoughts = ({ subject }: Target) => subject?.recordings.name.startsWith('transformers')

/** A picture of one pixel. */
export const pixel =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
