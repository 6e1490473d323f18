/** The key that clients of samewire send; the others don't look. */
export const key = 'sk-samewire-bench-key'

/** A request as bytes, written to the socket as they are: the client must cost less than what it measures. */
export function requestBytes(path: string, body: string, headers: Readonly<Record<string, string>>): Buffer {
  const lines = Object.entries({ host: 'bench', 'content-type': 'application/json', ...headers })
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  const bytes = Buffer.from(body)
  return Buffer.concat([Buffer.from(`POST ${path} HTTP/1.1\r\n${head}content-length: ${bytes.length}\r\n\r\n`), bytes])
}

export interface ChatOptions {
  readonly model: string
  /** Of the user's message. Quotes and line ends in it make a parser work as real prompts do. */
  readonly bytes: number
  readonly pace?: Pace
}

/** What the upstream is to stream. */
export interface Pace {
  /** Milliseconds from one chunk to the next. */
  readonly step: number
  readonly chunks: number
}

/** A chat request; a stream if it has a pace. */
export function chatBody({ model, bytes, pace }: ChatOptions): string {
  const filler = 'The quick brown fox "jumps"\nover the lazy dog. '
  return JSON.stringify({
    model,
    ...(pace && { stream: true, stream_options: { include_usage: true } }),
    messages: [
      { role: 'system', content: `You are a helpful assistant.${pace ? pacedText(pace) : ''}` },
      { role: 'user', content: filler.repeat(Math.ceil(bytes / filler.length)).slice(0, bytes) },
    ],
    temperature: 0.7,
  })
}

/** Messages are what every gateway passes on; fields and headers are not. */
function pacedText({ step, chunks }: Pace): string {
  return ` pace=${step} chunks=${chunks}`
}
