import type OpenAI from 'openai'
import type { Clock } from '../core/clock.ts'
import { defaultModel, type Message, type Session } from './session.ts'
import { footnote, printable, type Served } from './text.ts'

type Chunk = OpenAI.Chat.Completions.ChatCompletionChunk

export interface TurnTools {
  readonly client: OpenAI
  readonly clock: Clock
  readonly write: (text: string) => void
  readonly dim: (text: string) => string
  /** Aborted when the user stops the answer. */
  readonly signal: AbortSignal
}

/**
 * Streams the answer to one message and adds both to the session, even if the answer was stopped after some text.
 * Resolves with the footnote. Rejects, and adds nothing, if there is no answer.
 */
export async function answerTurn(text: string, session: Session, tools: TurnTools): Promise<string> {
  const { client, clock, write, signal } = tools
  session.model ??= await defaultModel(client)
  const asked: Message = { role: 'user', content: text }
  const system = session.system === undefined ? [] : [{ role: 'system' as const, content: session.system }]
  const { model, messages } = session
  const answer = new AnswerPrinter(tools)
  const started = clock.now()
  write('ChatGPT: ')
  try {
    const { data, response } = await client.chat.completions
      .create(
        { model, messages: [...system, ...messages, asked], stream: true, stream_options: { include_usage: true } },
        { signal },
      )
      .withResponse()
    for await (const chunk of data) answer.print(chunk, response.headers)
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    answer.finish()
  }
  if (!signal.aborted || answer.text !== '') {
    session.messages = [...messages, asked, { role: 'assistant', content: answer.text }]
  }
  return signal.aborted ? 'Stopped.' : footnote({ ...answer.served, asked: model, started })
}

class AnswerPrinter {
  text = ''
  readonly served: Omit<Served, 'asked' | 'started'> = { pieces: 0 }
  readonly #tools: TurnTools
  #reasoning = false

  constructor(tools: TurnTools) {
    this.#tools = tools
  }

  print(chunk: Chunk, headers: Headers): void {
    const { served } = this
    // A stream that opened before a provider answered lacks this header; its chunks name the model.
    served.model ??= headers.get('x-samewire-model') ?? chunk.model
    served.attempts ??= headers.get('x-samewire-attempts') ?? undefined
    served.reason ??= headers.get('x-samewire-reason') ?? undefined
    if (chunk.usage) served.tokens = chunk.usage.completion_tokens
    const delta = chunk.choices[0]?.delta
    if (!delta) return
    this.#piece(reasoningOf(delta), true)
    this.#piece(delta.content ?? delta.refusal ?? '', false)
  }

  finish(): void {
    this.#tools.write('\n')
  }

  #piece(text: string, reasoning: boolean): void {
    if (text === '') return
    const { write, dim, clock } = this.#tools
    const now = clock.now()
    this.served.first ??= now
    this.served.last = now
    this.served.pieces++
    if (this.#reasoning && !reasoning) write('\n')
    this.#reasoning = reasoning
    if (!reasoning) this.text += text
    write(reasoning ? dim(printable(text)) : printable(text))
  }
}

/** Servers use different names for this field, and the client's types have none of them. */
function reasoningOf(delta: object): string {
  for (const name of ['reasoning_content', 'reasoning', 'thinking']) {
    const text: unknown = Reflect.get(delta, name)
    if (typeof text === 'string') return text
  }
  return ''
}
