/** The key that clients of samewire send; the others ignore it. */
export const key = 'sk-samewire-bench-key'

/** A request as bytes, to be written to the socket unchanged: the client must cost less than what it measures. */
export function requestBytes(path: string, body: string, headers: Readonly<Record<string, string>>): Buffer {
  const lines = Object.entries({ host: 'bench', 'content-type': 'application/json', ...headers })
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  const bytes = Buffer.from(body)
  return Buffer.concat([Buffer.from(`POST ${path} HTTP/1.1\r\n${head}content-length: ${bytes.length}\r\n\r\n`), bytes])
}

export interface ChatOptions {
  readonly model: string
  /** Size of the user's message. It has quotes and line ends, to occupy a parser as real prompts do. */
  readonly bytes: number
  readonly pace?: Pace
}

/** The stream to request from the upstream. */
export interface Pace {
  /** Milliseconds between two chunks. */
  readonly step: number
  readonly chunks: number
}

/** A chat request; a stream if it has a pace. */
export function chatBody({ model, bytes, pace }: ChatOptions): string {
  return JSON.stringify({
    model,
    ...(pace && { stream: true, stream_options: { include_usage: true } }),
    messages: [
      { role: 'system', content: instructionsFor(pace) },
      { role: 'user', content: textOf(bytes) },
    ],
    temperature: 0.7,
  })
}

/** The same as a request for a response. */
export function responseBody({ model, bytes, pace }: ChatOptions): string {
  return JSON.stringify({
    model,
    ...(pace && { stream: true }),
    instructions: instructionsFor(pace),
    input: textOf(bytes),
    temperature: 0.7,
  })
}

function instructionsFor(pace: Pace | undefined): string {
  return `You are a helpful assistant.${pace ? pacedText(pace) : ''}`
}

function textOf(bytes: number): string {
  const filler = 'The quick brown fox "jumps"\nover the lazy dog. '
  return filler.repeat(Math.ceil(bytes / filler.length)).slice(0, bytes)
}

/** In a message, because every gateway passes messages on, unlike fields and headers. */
function pacedText({ step, chunks }: Pace): string {
  return ` pace=${step} chunks=${chunks}`
}
