import { eventsOf } from './ask.ts'
import type { Script } from './upstream.ts'

interface Asked {
  readonly messages?: readonly { readonly role: string; readonly content: string }[]
  readonly prompt?: string
  readonly continue_final_message?: boolean
  readonly max_tokens?: number
  readonly stream_options?: { readonly include_usage?: boolean }
}

export interface ModelOptions {
  /** What it answers to everything. */
  readonly text: string
  /** Whether its template trims the last message, as many do. */
  readonly trims?: boolean
}

/** The prompt for completions; the text follows it. */
export const prompt = 'Once upon'
const promptTokens = 7

/** A text with what could break a seam: line ends, indentation, characters of several bytes, tokens within words. */
export const awkward =
  'Grüße aus Köln!\n\nThe sea is 深い, and 🌊 waves…\n\n```ts\n  const naïve = "x"\n\n    return\t`naïve`\n```\n- a\n- b \n\nEnd.'

/** The tokens of a text: a space belongs to the word after it, and words of more than four letters are cut. */
export function tokensOf(text: string): string[] {
  return text.match(/ ?[\p{L}\p{N}]{1,4}|\s+(?!\S)|\s|[^\s]/gu) ?? []
}

/**
 * The stream of a deterministic model behind a server that truly continues: to a chat that ends with the start of its
 * text, it says the rest. What it is asked in any other way it answers from the start, as another turn would be.
 */
export function framesOf(asked: Asked, { text, trims = false }: ModelOptions): string {
  const begun = begunIn(asked, trims)
  const before = text.startsWith(begun) ? begun : ''
  const all = tokensOf(text)
  const read = all.findIndex((_, at) => all.slice(0, at).join('').length >= before.length)
  // Cut elsewhere than between two tokens, it is read in others.
  const isBetween = all.slice(0, read).join('') === before
  const tokens = isBetween ? all.slice(read) : tokensOf(text.slice(before.length))
  const said = tokens.slice(0, asked.max_tokens)
  const isChat = asked.messages !== undefined
  const head = { id: `cmpl-${before.length}`, object: isChat ? 'chat.completion.chunk' : 'text_completion' }
  const base = {
    ...head,
    created: 1_700_000_000 + before.length,
    model: 'm',
    system_fingerprint: `fp_${before.length}`,
  }
  const piece = (content: string) => (isChat ? { delta: { content } } : { text: content })
  const finish = said.length < tokens.length ? 'length' : 'stop'
  const prompted = promptTokens + (isBetween ? read : tokensOf(before).length)
  const usage = {
    prompt_tokens: prompted,
    completion_tokens: said.length,
    total_tokens: prompted + said.length,
    prompt_tokens_details: { cached_tokens: before.length },
  }
  const choices = [
    ...(isChat ? [{ delta: { role: 'assistant', content: '' }, finish_reason: null }] : []),
    ...said.map((token) => ({ ...piece(token), finish_reason: null })),
    { ...(isChat ? { delta: {} } : { text: '' }), finish_reason: finish },
  ]
  const chunks: object[] = choices.map((choice) => ({ ...base, choices: [{ index: 0, ...choice }] }))
  if (asked.stream_options?.include_usage) chunks.push({ ...base, choices: [], usage })
  return `${chunks.map((one) => `data: ${JSON.stringify(one)}\n\n`).join('')}data: [DONE]\n\n`
}

function begunIn({ messages, prompt: given, continue_final_message: wanted }: Asked, trims: boolean): string {
  if (given !== undefined) return given.startsWith(prompt) ? given.slice(prompt.length) : ''
  const last = messages?.at(-1)
  if (last?.role !== 'assistant' || !wanted) return ''
  return trims ? last.content.trim() : last.content
}

/** A reset would lose what the other side has not read yet, so the connection is closed instead. */
export const ways = ['close', 'end', 'error'] as const
export type Way = (typeof ways)[number]

/** Sends a stream up to a byte, and then breaks it. */
export function cutAt(frames: string, at: number, way: Way): Script {
  return async (_request, response, socket) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const bytes = Buffer.from(frames).subarray(0, at)
    await new Promise<void>((written) => response.write(bytes, () => written()))
    if (way === 'close') socket.destroy()
    else if (way === 'end') response.end()
    // Behind half an event, it is a part of that one.
    else
      response.end(`\n\ndata: ${JSON.stringify({ error: { message: 'the GPU fell off', type: 'server_error' } })}\n\n`)
  }
}

/** Answers like the model. */
export const answering =
  (options: ModelOptions): Script =>
  ({ body }, response) =>
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(framesOf(JSON.parse(body), options))

/** The byte after the first event with content: before it, a failure is retried from the start. */
export function firstContentEnd(frames: string): number {
  const at = frames.search(/data: (?=[^\n]*"(content|text)":"[^"])/)
  return Buffer.byteLength(frames.slice(0, frames.indexOf('\n\n', at) + 2))
}

/**
 * The byte at which the event with the finish begins, or the last text if there is a limit: behind that, nothing may be
 * asked for any more, and nobody but the server that broke off could have told the finish.
 */
export function finishStart(frames: string): number {
  const at = frames.search(/data: (?=[^\n]*"finish_reason":"\w)/)
  const limited = /"finish_reason":"length"/.test(frames)
  return Buffer.byteLength(frames.slice(0, limited ? frames.lastIndexOf('data: ', at - 1) : at))
}

/** The chunks of a stream. */
export function chunksOf(text: string): unknown[] {
  return eventsOf(text)
    .filter(({ data }) => data !== '[DONE]')
    .map(({ data }) => JSON.parse(data))
}

interface Chunk {
  readonly choices?: readonly {
    readonly delta?: { readonly content?: string | null; readonly role?: string }
    readonly text?: string
    readonly finish_reason?: string | null
  }[]
  readonly usage?: object | null
}

/** What a client makes of a stream: the text, and all else that must come once. */
export function readStream(stream: string) {
  const chunks = chunksOf(stream) as (Chunk & Record<string, unknown>)[]
  const choices = chunks.flatMap(({ choices: all = [] }) => all)
  return {
    text: choices.map(({ delta, text }) => delta?.content ?? text ?? '').join(''),
    roles: choices.filter(({ delta }) => delta?.role).length,
    finishes: choices.flatMap(({ finish_reason: reason }) => reason ?? []),
    usage: chunks.flatMap(({ usage }) => usage ?? []),
    heads: new Set(
      chunks.map(({ id, created, model, system_fingerprint: print }) => [id, created, model, print].join()),
    ),
    ends: stream.split('data: [DONE]').length - 1,
    continued: [...stream.matchAll(/^: x-samewire-continued: (.*)$/gm)].map(([, label]) => label),
  }
}
