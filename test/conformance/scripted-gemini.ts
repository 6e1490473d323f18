import type { ServerResponse } from 'node:http'
import type { Seen } from '../support/upstream.ts'
import type { Script } from './scripted-responses.ts'

interface Part {
  readonly text?: string
  readonly inlineData?: object
}

interface Generate {
  readonly contents: readonly { readonly parts: readonly Part[] }[]
  readonly tools?: readonly unknown[]
  readonly generationConfig?: { readonly responseMimeType?: string }
}

/** What a request to Gemini's API asks, in the terms of a chat. */
export function asChatOf({ contents, tools, generationConfig }: Generate) {
  const parts = contents.at(-1)?.parts ?? []
  const content = parts.some(({ inlineData }) => inlineData)
    ? [{ type: 'image_url' }]
    : parts.map(({ text = '' }) => text).join('')
  return {
    model: 'scripted',
    messages: [{ content }],
    ...(tools && { tools }),
    ...(generationConfig?.responseMimeType && { response_format: { type: 'json_object' } }),
  }
}

/** Answers as https://ai.google.dev/api/generate-content says, whole or as events without a `[DONE]`. */
export function sendGenerated({ path }: Seen, response: ServerResponse, script: Script): void {
  const thoughts = script.reasoning?.reasoning_content
  const parts = [
    ...(thoughts ? [{ text: thoughts, thought: true }] : []),
    ...(script.content ? [{ text: script.content }] : []),
    ...(script.calls ?? []).map(({ id, function: { name, arguments: given } }, at) => ({
      functionCall: { id, name, args: JSON.parse(given) as object },
      ...(at === 0 && { thoughtSignature: 'c2lnbmF0dXJl' }),
    })),
  ]
  const told = {
    usageMetadata: { promptTokenCount: 9, candidatesTokenCount: 8, thoughtsTokenCount: 4, totalTokenCount: 21 },
    ...{ modelVersion: 'scripted', responseId: 'scripted-response' },
  }
  const saying = (some: readonly object[], end: object) => ({
    candidates: [{ content: { parts: some, role: 'model' }, ...end, index: 0 }],
    ...told,
  })
  const end = { finishReason: script.finish === 'length' ? 'MAX_TOKENS' : 'STOP' }
  if (!path.includes('alt=sse')) {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(saying(parts, end)))
    return
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  for (const event of [...parts.map((part) => saying([part], {})), saying([{ text: '' }], end)]) {
    response.write(`data: ${JSON.stringify(event)}\r\n\r\n`)
  }
  response.end()
}

/** Vectors as https://ai.google.dev/api/embeddings says, one or several. */
export function embedContents({ path, body }: Seen, response: ServerResponse): void {
  const one = { values: [0.6, 0.8] }
  const { requests = [] } = JSON.parse(body) as { requests?: readonly unknown[] }
  const told = path.includes(':batch') ? { embeddings: requests.map(() => one) } : { embedding: one }
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(told))
}
