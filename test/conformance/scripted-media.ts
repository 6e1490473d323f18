import type { ServerResponse } from 'node:http'
import type { Seen } from '../support/upstream.ts'

/** Answers of OpenAI's routes besides those with choices, as its specification says. */
export const otherAnswers: Readonly<Record<string, (request: Seen, response: ServerResponse) => void>> = {
  '/embeddings': embed,
  '/images/generations': (request, response) => image(request, response, 'image_generation.completed'),
  // OpenRouter's own name for it.
  '/images': (request, response) => image(request, response, 'image_generation.completed'),
  '/images/edits': (request, response) => image(request, response, 'image_edit.completed'),
  '/images/variations': (request, response) => image(request, response, ''),
  '/audio/speech': speak,
  '/audio/transcriptions': hear,
  '/audio/translations': hear,
  '/moderations': moderate,
  '/rerank': (_, response) => json(response, { results: [scored(1, 0.9), scored(0, 0.1)] }),
}

/** What the Hub says of the scripted model: one provider of Hugging Face's does all with it. */
export function hubEntry(response: ServerResponse): void {
  const tasks = ['text-to-image', 'text-to-speech', 'automatic-speech-recognition']
  const provider = { provider: 'together', providerId: 'scripted', status: 'live' }
  json(response, { id: 'scripted', inferenceProviderMapping: tasks.map((task) => ({ ...provider, task })) })
}

/** Feature extraction, as Hugging Face's own servers do it. */
export function extract({ body }: Seen, response: ServerResponse): void {
  const { inputs } = JSON.parse(body) as { inputs: string[] }
  json(
    response,
    inputs.map(() => [0.6, 0.8]),
  )
}

const tokens = { input_tokens: 3, output_tokens: 4, total_tokens: 7 }
const fox = Buffer.from('a fox').toString('base64')

function embed({ body }: Seen, response: ServerResponse): void {
  const { input, encoding_format: format } = JSON.parse(body) as { input: string[]; encoding_format?: string }
  const vector = new Float32Array([0.6, 0.8])
  const embedding = format === 'base64' ? Buffer.from(vector.buffer).toString('base64') : [...vector]
  const data = input.map((_, index) => ({ object: 'embedding', index, embedding }))
  json(response, { object: 'list', data, model: 'scripted', usage: { prompt_tokens: 4, total_tokens: 4 } })
}

function image({ body }: Seen, response: ServerResponse, event: string): void {
  const look = { size: '1024x1024', quality: 'high', background: 'opaque', output_format: 'png' }
  const usage = { ...tokens, input_tokens_details: { text_tokens: 3, image_tokens: 0 } }
  if (!streams(body)) json(response, { created: 1_700_000_000, data: [{ b64_json: fox }] })
  else events(response, { type: event, b64_json: fox, created_at: 1_700_000_000, ...look, usage })
}

function speak({ body }: Seen, response: ServerResponse): void {
  // Mistral's form.
  if (body.includes('"voice_id"')) json(response, { audio_data: Buffer.from('ID3 sound').toString('base64') })
  else if (!body.includes('"sse"')) response.writeHead(200, { 'content-type': 'audio/mpeg' }).end('ID3 sound')
  else events(response, { type: 'speech.audio.delta', audio: fox }, { type: 'speech.audio.done', usage: tokens })
}

function hear({ body }: Seen, response: ServerResponse): void {
  if (body.includes('srt')) {
    response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' }).end('1\n00:00 --> 00:01\nHello\n')
  } else if (streams(body)) {
    events(response, { type: 'transcript.text.delta', delta: 'Hello' }, { type: 'transcript.text.done', text: 'Hello' })
  } else if (body.includes('verbose_json')) {
    const segment = { id: 0, start: 0, end: 1, text: 'Hello' }
    json(response, { task: 'transcribe', language: 'en', duration: 1, text: 'Hello', segments: [segment] })
  } else json(response, { text: 'Hello' })
}

const categories = [
  ...['hate', 'hate/threatening', 'harassment', 'harassment/threatening', 'illicit', 'illicit/violent', 'self-harm'],
  ...['self-harm/intent', 'self-harm/instructions', 'sexual', 'sexual/minors', 'violence', 'violence/graphic'],
]

function moderate({ body }: Seen, response: ServerResponse): void {
  const each = <T>(value: T) => Object.fromEntries(categories.map((category) => [category, value]))
  const results = (JSON.parse(body) as { input: string[] }).input.map((text) => ({
    flagged: text.includes('hate'),
    categories: each(false),
    category_scores: each(0),
    category_applied_input_types: each([]),
  }))
  json(response, { id: 'modr-1', model: 'scripted', results })
}

const scored = (index: number, score: number) => ({ index, relevance_score: score })

/** Of JSON or of a form. */
const streams = (body: string) => /"stream":\s*true|name="stream"\r\n\r\ntrue/.test(body)

interface Event {
  readonly type: string
  readonly [field: string]: unknown
}

function events(response: ServerResponse, ...each: readonly Event[]): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  for (const event of each) response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
  response.end()
}

function json(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
