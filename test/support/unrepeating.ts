import { chunk, type Script, type Seen } from './upstream.ts'

interface AskedChat {
  readonly stream?: boolean
  readonly stream_options?: { readonly include_usage?: boolean }
}

const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 }

/**
 * A script of a model that never says the same twice: each answer has its number, and what `about` says of the request.
 * Streams tell their usage to those who ask.
 */
export function unrepeating(about: (seen: Seen) => string = () => ''): Script {
  let answers = 0
  return async (seen, response) => {
    const { stream, stream_options: options } = JSON.parse(seen.body) as AskedChat
    const content = `answer ${++answers} ${about(seen)}`
    if (!stream) {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(wholeChat(content)))
      return
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const pieces = [
      chunk({ role: 'assistant', content: '' }),
      ...content.match(/.{1,5}/gs)!.map((word) => chunk({ content: word })),
    ]
    const last = options?.include_usage ? [usageChunk] : []
    for (const piece of [...pieces, chunk({}, 'stop'), ...last, 'data: [DONE]\n\n']) {
      await new Promise<void>((written) => response.write(piece, () => written()))
    }
    response.end()
  }
}

const usageChunk = `data: ${JSON.stringify({ id: 'chatcmpl-fake', object: 'chat.completion.chunk', created: 1_700_000_000, model: 'fake-model', choices: [], usage })}\n\n`

function wholeChat(content: string): object {
  return {
    id: `chatcmpl-${content.split(' ')[1]}`,
    object: 'chat.completion',
    created: 1_700_000_000,
    model: 'fake-model',
    choices: [
      { index: 0, message: { role: 'assistant', content, refusal: null }, logprobs: null, finish_reason: 'stop' },
    ],
    usage,
  }
}
