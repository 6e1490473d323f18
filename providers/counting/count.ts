import type { Answer } from '../../src/core/answer.ts'
import type { ServedRequest } from '../../src/core/served.ts'
import { boundAnswer, countAnswer } from '../../src/operations/responses/count.ts'
import { toChat } from '../../src/operations/responses/request.ts'
import { GatewayError } from '../../src/wire/errors.ts'
import type { JsonObject } from '../../src/wire/json.ts'
import type { WayToCount } from '../counting.ts'
import { jsonOf, posted } from '../exchange.ts'

/** Asks a server how many tokens a chat is. What comes back is checked. */
type Way = (ask: (path: string, body: JsonObject) => Promise<JsonObject>, chat: JsonObject) => Promise<unknown>

/** Counts by the first of these ways that the server has; a bound if it has none. Paths are without `/v1`. */
export async function counted(request: ServedRequest, names: readonly WayToCount[]): Promise<Answer> {
  const { chat } = toChat(request.context.body)
  const root = request.settings.baseURL.replace(/\/v1$/, '')
  const ask = async (path: string, body: JsonObject) => jsonOf(await posted(request, root + path, body))
  for (const name of names) {
    const count = await ways[name](ask, { ...chat, model: request.context.model }).catch(unlessUnknown)
    if (typeof count === 'number') return countAnswer(count)
  }
  return boundAnswer(request)
}

function unlessUnknown(failure: unknown): undefined {
  if (!(failure instanceof GatewayError) || failure.kind !== 'wrong_endpoint') throw failure
}

/** https://docs.vllm.ai/en/stable/serving/online_serving.html: beside `/v1`, for chats too. */
const byTokenizing: Way = async (ask, { model, messages, tools }) =>
  (await ask('/tokenize', { model, messages, ...(tools !== undefined && { tools }), add_generation_prompt: true }))
    .count

/** https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md: since 2026. */
const byChat: Way = async (ask, chat) => (await ask('/v1/chat/completions/input_tokens', chat)).input_tokens

/** The same for servers before that. */
const byTemplate: Way = async (ask, { model, messages, tools }) => {
  const { prompt } = await ask('/apply-template', { model, messages, ...(tools !== undefined && { tools }) })
  const { tokens } = await ask('/tokenize', { model, content: prompt, add_special: true, parse_special: true })
  return Array.isArray(tokens) ? tokens.length : undefined
}

const ways: Readonly<Record<WayToCount, Way>> = { tokenizing: byTokenizing, chat: byChat, template: byTemplate }
