import type { Api } from './apis.ts'
import type { Plan } from './plan.ts'
import type { Route } from './target.ts'
import { misread, type Received, raise } from './verdict.ts'
import { errorTypes } from './wire-anthropic.ts'

interface Message {
  readonly type: string
  readonly content: readonly { readonly type: string; readonly text?: string }[]
  readonly stop_reason: string | null
}

interface Event {
  readonly type: string
  readonly index?: number
  readonly content_block?: { readonly type: string; readonly text?: string }
  readonly delta?: { readonly type?: string; readonly text?: string; readonly stop_reason?: string | null }
}

/** From where to where each event leads. Anthropic's client throws where a block or a message is missing. */
const steps: Readonly<Record<string, readonly [from: string | undefined, to: string]>> = {
  message_start: [undefined, 'between'],
  content_block_start: ['between', 'inside'],
  content_block_delta: ['inside', 'inside'],
  content_block_stop: ['inside', 'between'],
  message_delta: ['between', 'stopped'],
  message_stop: ['stopped', 'over'],
}

/** Anthropic's Messages. */
export const messages: Api = {
  path: () => '/v1/messages',
  keyHeader: 'x-api-key',
  body: ({ number, streams, fields }: Plan, { model }: Route) => ({
    model,
    max_tokens: 1000,
    messages: [{ role: 'user', content: String(number) }],
    stream: streams,
    ...fields,
  }),
  take(text, received, name) {
    const said = JSON.parse(text) as Message & Event
    if (name !== undefined && name !== said.type) misread(received, `a ${said.type} as ${name}`)
    if (said.type === 'error') raise(received, 'event', text)
    else if (said.type === 'message') addMessage(said, received)
    // Its client leaves out events without a name.
    else if (name === undefined) misread(received, `an event without a name: ${text}`)
    else addEvent(said, received)
  },
  strict: {
    isOwnError(text, status) {
      const { type, error, request_id: id } = JSON.parse(text)
      const expected = status === undefined ? undefined : (errorTypes[status] ?? typeOf(status))
      const isKnown = error.type === 'api_error' || Object.values(errorTypes).includes(error.type)
      const isTyped = expected === undefined ? isKnown : error.type === expected && typeof id === 'string'
      return type === 'error' && isTyped && typeof error.message === 'string' && error.message !== ''
    },
    isEnded: ({ state }) => state === 'over',
  },
}

function typeOf(status: number): string {
  return status < 500 ? 'invalid_request_error' : 'api_error'
}

function addMessage({ content, stop_reason }: Message, received: Received): void {
  received.texts[0] = content.map(({ text = '' }) => text).join('')
  if (stop_reason) received.finished.add(0)
}

function addEvent({ type, content_block: block, delta }: Event, received: Received): void {
  if (type === 'ping') return
  const [from, to] = steps[type] ?? []
  if (from !== received.state) misread(received, `${type} where it was ${received.state}`)
  received.state = to ?? type
  received.texts[0] = (received.texts[0] ?? '') + (block?.text ?? '') + (delta?.text ?? '')
  if (delta?.stop_reason) received.finished.add(0)
}
