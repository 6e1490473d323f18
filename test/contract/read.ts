/** What a choice of an answer says, whatever wire it came on. */
export interface Said {
  readonly content: string
  readonly reasoning: string
  readonly calls: readonly { readonly name: string; readonly arguments: unknown }[]
  readonly finish: string | null
}

export interface ToolCall {
  readonly index?: number
  readonly id?: string
  readonly type?: string
  readonly function?: { readonly name?: string; readonly arguments?: string }
}

export interface Message {
  readonly role?: string
  readonly content?: string | null
  readonly refusal?: string | null
  readonly reasoning_content?: string
  readonly reasoning?: string
  readonly tool_calls?: readonly ToolCall[]
}

export interface Choice {
  readonly index: number
  readonly finish_reason?: string | null
  readonly logprobs?: unknown
  readonly text?: string
  readonly message?: Message
  readonly delta?: Message
}

export interface Usage {
  readonly prompt_tokens: number
  readonly completion_tokens: number
  readonly total_tokens: number
}

export interface WireError {
  readonly message: string
  readonly type: string
  readonly param: string | null
  readonly code: string | null
}

/** A whole answer, or a chunk of a stream. */
export interface Answer {
  readonly id: string
  readonly object: string
  readonly created: number
  readonly model: string
  readonly choices: readonly Choice[]
  readonly usage?: Usage | null
  readonly error?: WireError
}

/** A whole OpenAI answer of either route. */
export function readAnswer(body: string): Said[] {
  const { choices } = JSON.parse(body) as Answer
  return choices.map((choice) => ({
    content: choice.text ?? choice.message?.content ?? '',
    reasoning: reasoningOf(choice.message),
    calls: (choice.message?.tool_calls ?? []).map(readCall),
    finish: choice.finish_reason ?? null,
  }))
}

/** What a text with calls in Hermes' form says. */
export function withCallsRead(said: Said): Said {
  const texts = [...said.content.matchAll(/<tool_call>([\s\S]*?)<\/tool_call>/g)].map(([, text = '']) =>
    JSON.parse(text),
  )
  return texts.length > 0 ? { ...said, content: '', calls: texts, finish: 'tool_calls' } : said
}

/** An OpenAI stream of either route, read as forgivingly as the most forgiving client. */
export function readStream(body: string): Said[] {
  const said = new Map<number, { content: string; reasoning: string; calls: ToolCall[]; finish: string | null }>()
  for (const { choices = [] } of chunksOf(body)) {
    for (const { index, delta, text, finish_reason: finish } of choices) {
      const choice = said.get(index) ?? { content: '', reasoning: '', calls: [], finish: null }
      said.set(index, choice)
      choice.content += text ?? delta?.content ?? ''
      choice.reasoning += reasoningOf(delta)
      for (const call of delta?.tool_calls ?? []) addCall(choice.calls, call)
      choice.finish = finish || choice.finish
    }
  }
  return [...said].sort(([a], [b]) => a - b).map(([, choice]) => ({ ...choice, calls: choice.calls.map(readCall) }))
}

/** One answer of Ollama's native API, whole or in lines. */
export function readNative(body: string): Said[] {
  const lines = body
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as NativeLine)
  const calls = lines.flatMap(({ message }) => message?.tool_calls ?? [])
  const reason = lines.at(-1)?.done_reason ?? null
  return [
    {
      content: lines.map(({ message, response }) => response ?? message?.content ?? '').join(''),
      reasoning: lines.map(({ message, thinking }) => thinking ?? message?.thinking ?? '').join(''),
      calls: calls.map(({ function: { name, arguments: given } }) => ({ name, arguments: given })),
      // Ollama says `stop` for calls too.
      finish: calls.length > 0 ? 'tool_calls' : reason,
    },
  ]
}

interface NativeLine {
  readonly response?: string
  readonly thinking?: string
  readonly done_reason?: string
  readonly message?: {
    readonly content?: string
    readonly thinking?: string
    readonly tool_calls?: readonly { readonly function: { readonly name: string; readonly arguments: unknown } }[]
  }
}

/** One answer of Gemini's own API, whole or in events. */
export function readGenerated(body: string): Said[] {
  const answers = body.startsWith('data: ')
    ? body.split('\n').flatMap((line) => (line.startsWith('data: ') ? [JSON.parse(line.slice(6)) as Generated] : []))
    : [JSON.parse(body) as Generated]
  const candidates = answers.flatMap((answer) => answer.candidates ?? [])
  const parts = candidates.flatMap(({ content }) => content.parts)
  const calls = parts.flatMap(({ functionCall }) => functionCall ?? [])
  const reason = candidates.at(-1)?.finishReason
  return [
    {
      content: parts.map(({ text = '', thought }) => (thought ? '' : text)).join(''),
      reasoning: parts.map(({ text = '', thought }) => (thought ? text : '')).join(''),
      calls: calls.map(({ name, args }) => ({ name, arguments: args })),
      // Gemini says STOP for calls too.
      finish: reason === 'MAX_TOKENS' ? 'length' : calls.length > 0 ? 'tool_calls' : 'stop',
    },
  ]
}

interface Generated {
  readonly candidates?: readonly {
    readonly finishReason?: string
    readonly content: {
      readonly parts: readonly {
        readonly text?: string
        readonly thought?: boolean
        readonly functionCall?: { readonly name: string; readonly args: unknown }
      }[]
    }
  }[]
}

/** One message of Anthropic's API, whole or in events. */
export function readMessage(body: string): Said[] {
  if (!body.startsWith('event: ')) {
    const { content, stop_reason: reason } = JSON.parse(body) as AnthropicMessage
    const calls = content.filter(({ type }) => type === 'tool_use')
    return [
      {
        content: content.map(({ text = '' }) => text).join(''),
        reasoning: content.map(({ thinking = '' }) => thinking).join(''),
        calls: calls.map(({ name = '', input }) => ({ name, arguments: input })),
        finish: stopReasons[reason ?? ''] ?? null,
      },
    ]
  }
  const events = body
    .split('\n')
    .flatMap((line) => (line.startsWith('data: ') ? [JSON.parse(line.slice(6)) as AnthropicEvent] : []))
  const deltas = events.flatMap(({ type, delta }) => (type === 'content_block_delta' && delta ? [delta] : []))
  const begun = events.filter(({ content_block: block }) => block?.type === 'tool_use')
  const inputOf = (index: unknown) =>
    events.map((one) => (one.index === index ? (one.delta?.partial_json ?? '') : '')).join('')
  return [
    {
      content: deltas.map(({ text = '' }) => text).join(''),
      reasoning: deltas.map(({ thinking = '' }) => thinking).join(''),
      calls: begun.map(({ index, content_block: block }) => ({
        name: block?.name ?? '',
        arguments: JSON.parse(inputOf(index) || '{}') as unknown,
      })),
      finish: stopReasons[events.find(({ type }) => type === 'message_delta')?.delta?.stop_reason ?? ''] ?? null,
    },
  ]
}

const stopReasons: Readonly<Record<string, string>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  max_tokens: 'length',
  tool_use: 'tool_calls',
}

interface AnthropicBlock {
  readonly type: string
  readonly text?: string
  readonly thinking?: string
  readonly name?: string
  readonly input?: unknown
}

interface AnthropicMessage {
  readonly content: readonly AnthropicBlock[]
  readonly stop_reason: string | null
}

interface AnthropicEvent {
  readonly type: string
  readonly index?: number
  readonly content_block?: AnthropicBlock
  readonly delta?: {
    readonly text?: string
    readonly thinking?: string
    readonly partial_json?: string
    readonly stop_reason?: string
  }
}

/** The data of every event but `[DONE]`, where it is an object. */
export function chunksOf(stream: string): Answer[] {
  const lines = stream.split(/\r?\n/).filter((line) => line.startsWith('data: {'))
  return lines.map((line) => JSON.parse(line.slice('data: '.length)) as Answer)
}

/** The frames of a stream, where it has the one form that every client reads; throws at any other. */
export function framesOf(stream: string): string[] {
  if (!stream.endsWith('\n\n')) throw new Error(`the stream does not end with a blank line: …${stream.slice(-80)}`)
  return stream
    .slice(0, -2)
    .split('\n\n')
    .map((frame) => {
      const [, data] = /^data: (\{.*\}|\[DONE\])$/s.exec(frame) ?? []
      if (data === undefined) throw new Error(`not a frame: ${frame}`)
      if (data !== '[DONE]') JSON.parse(data)
      return data
    })
}

function reasoningOf(message: Message | undefined): string {
  return message?.reasoning_content ?? message?.reasoning ?? ''
}

function readCall(call: ToolCall): Said['calls'][number] {
  return { name: call.function?.name ?? '', arguments: JSON.parse(call.function?.arguments ?? '{}') }
}

function addCall(calls: ToolCall[], { index = 0, ...call }: ToolCall): void {
  const begun = calls[index]
  const text = call.function?.arguments ?? ''
  if (!begun) calls[index] = call
  else
    calls[index] = { ...begun, function: { ...begun.function, arguments: `${begun.function?.arguments ?? ''}${text}` } }
}
