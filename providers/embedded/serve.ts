import type { Answer } from '../../src/core/answer.ts'
import { sleep } from '../../src/core/clock.ts'
import { once } from '../../src/core/late.ts'
import type { LocalRequest } from '../../src/core/provider.ts'
import { sourceFrom } from '../../src/core/sources.ts'
import { mendEmbeddings } from '../../src/operations/embeddings/answer.ts'
import { countAnswer } from '../../src/operations/responses/count.ts'
import { toChat } from '../../src/operations/responses/request.ts'
import { GatewayError } from '../../src/wire/errors.ts'
import type { JsonObject } from '../../src/wire/json.ts'
import { done, frame } from '../../src/wire/sse.ts'
import { createEngine, type Engine, type GenerateOptions } from './engine.ts'

let engineOf: (() => Promise<Engine>) | undefined

export async function serve(request: LocalRequest): Promise<Answer> {
  const { context, label, signal, clock, operation, body, stream, asset } = request
  if (context.model !== 'tiny-chat') {
    throw new GatewayError('not_found', `The embedded provider carries \`tiny-chat\` only, not \`${context.model}\`.`)
  }
  engineOf ??= once(async () => createEngine(await asset('embedded/tiny-chat.gguf')))
  const engine = await engineOf()
  const wire = operation === 'completions' ? operation : 'chat'
  const options: GenerateOptions = {
    model: label,
    id: context.id,
    created: context.created,
    signal,
    random: context.random,
    pause: () => sleep(clock, 0, signal),
    now: () => clock.now(),
  }
  const headers = { 'x-samewire-notice': 'answered by the embedded demonstration model' }
  try {
    if (operation === 'inputTokens') return countAnswer(engine.countTokens('chat', toChat(body).chat))
    if (!stream) {
      const answer =
        operation === 'embeddings'
          ? mendEmbeddings(await engine.embed(body, options), context)
          : await engine.complete(wire, body, options)
      const bytes = new TextEncoder().encode(JSON.stringify(answer))
      return { status: 200, headers: { ...headers, 'content-type': 'application/json' }, body: bytes }
    }
    return {
      status: 200,
      headers: { ...headers, 'content-type': 'text/event-stream; charset=utf-8' },
      body: { source: sourceFrom(frames(engine.stream(wire, body, options))), steps: [] },
    }
  } catch (error) {
    throw readEngineError(error)
  }
}

async function* frames(chunks: AsyncGenerator<JsonObject>): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of chunks) yield frame(chunk)
    yield done
  } catch (error) {
    throw readEngineError(error)
  }
}

/** The engine does not depend on the gateway: its errors have a status and a code. */
function readEngineError(error: unknown): unknown {
  if (!(error instanceof Error) || error.name !== 'EngineError') return error
  const { status, code, param = null } = error as Error & { status: number; code: string; param?: string | null }
  const kind =
    code === 'context_length_exceeded'
      ? 'context_length'
      : code === 'unsupported_parameter'
        ? 'incapable'
        : 'bad_request'
  return new GatewayError(kind, error.message, { status, code, param })
}
