import type { Said } from '../contract/read.ts'
import type { Got } from './cells.ts'

interface Part {
  readonly type: string
  readonly text?: string
}

export interface Item {
  readonly type: string
  readonly id?: string
  readonly name?: string
  readonly arguments?: string
  readonly content?: readonly Part[]
  readonly summary?: readonly Part[]
}

/** A response, as far as it is read here. */
export interface Response {
  readonly status: string
  readonly output: readonly Item[]
  readonly [field: string]: unknown
}

export interface ResponseEvent {
  readonly type: string
  /** As the frame has it, beside the data. */
  readonly name: string | undefined
  readonly sequence_number?: number
  readonly output_index?: number
  readonly item?: Item
  readonly response?: Response
  readonly [field: string]: unknown
}

const last = /^response\.(completed|incomplete|failed)$/

/** The response of an answer, whole or in events. Throws at a stream without an end. */
export function responseIn({ text, streamed }: Got): Response {
  if (!streamed) return JSON.parse(text) as Response
  const { response } = eventsIn(text).find(({ type }) => last.test(type)) ?? {}
  if (!response) throw new Error('no event says how the response ended')
  return response
}

export function eventsIn(stream: string): ResponseEvent[] {
  return stream.split('\n\n').flatMap((frame) => {
    const [, name, data] = /^(?:event: (\S+)\n)?data: (\{.*)$/s.exec(frame) ?? []
    return data ? [{ ...(JSON.parse(data) as ResponseEvent), name }] : []
  })
}

/** What a response says, in the words of a chat. */
export function saidInResponse({ status, output }: Response): Said {
  const calls = output.filter(({ type }) => type === 'function_call')
  return {
    content: textOf(output, 'message'),
    reasoning: textOf(output, 'reasoning'),
    calls: calls.map(({ name = '', arguments: given = '{}' }) => ({ name, arguments: JSON.parse(given) })),
    finish: status !== 'completed' ? status : calls.length > 0 ? 'tool_calls' : 'stop',
  }
}

function textOf(output: readonly Item[], type: string): string {
  const parts = output
    .filter((item) => item.type === type)
    .flatMap(({ content = [], summary = [] }) => [...content, ...summary])
  return parts.map(({ text = '' }) => text).join('')
}

/** What is wrong with the order of events, or with what they say of one another. */
export function eventsFault(events: readonly ResponseEvent[]): string | undefined {
  const misnamed = events.find(({ type, name }) => type !== name)
  if (misnamed) return `an event named ${misnamed.name} is of type ${misnamed.type}`
  const odd = events.findIndex(({ sequence_number: number }, at) => number !== at)
  if (odd >= 0) return `event ${odd} has the number ${events[odd]?.sequence_number}`
  const [first, second] = events
  if (first?.type !== 'response.created' || second?.type !== 'response.in_progress')
    return `it begins with ${first?.type}`
  const end = events.at(-1)
  const ends = events.filter(({ type }) => last.test(type)).length
  if (ends !== 1 || !end?.response || !last.test(end.type))
    return `${ends} events say how it ended; the last is ${end?.type}`
  return itemsFault(events, end.response) ?? textsFault(events)
}

/** Every item is begun once, done once, and stands so in the end. */
function itemsFault(events: readonly ResponseEvent[], { output }: Response): string | undefined {
  const [added, done] = ['added', 'done'].map((what) =>
    events.filter(({ type }) => type === `response.output_item.${what}`),
  )
  const places = added?.map(({ output_index: at }) => at) ?? []
  if (places.some((place, at) => place !== at)) return `the items begin at ${places}`
  const inOrder = done?.toSorted((a, b) => Number(a.output_index) - Number(b.output_index)) ?? []
  const odd = inOrder.find(({ item }, at) => item?.id !== added?.[at]?.item?.id)
  if (odd) return `the item ${odd.item?.id} was never begun`
  return same(
    inOrder.map(({ item }) => item),
    output,
  )
    ? undefined
    : 'the items that are done are not the output'
}

/** The deltas of each text add up to the whole of it. */
function textsFault(events: readonly ResponseEvent[]): string | undefined {
  const texts = new Map<string, string>()
  for (const event of events) {
    const { type, item_id: id, content_index: part, summary_index: summary } = event
    const [, kind, what] = /^response\.(\w+)\.(delta|done)$/.exec(type) ?? []
    if (kind === undefined || id === undefined || event.part !== undefined) continue
    const place = `${kind} ${id} ${part} ${summary}`
    if (what === 'delta') texts.set(place, (texts.get(place) ?? '') + event.delta)
    else {
      const whole = event.text ?? event.arguments ?? event.refusal ?? event.input
      if (whole !== (texts.get(place) ?? '')) return `the deltas of ${kind} say ${texts.get(place)}, and not ${whole}`
      texts.delete(place)
    }
  }
  return texts.size === 0 ? undefined : `never done: ${[...texts.keys()]}`
}

const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b)
