import { edited, type RequestBody } from '../../src/wire/body.ts'
import { isObject } from '../../src/wire/json.ts'

const details = 'reasoning_details'

/**
 * A request without what models thought before, for the endpoint in OpenAI's format: it refuses the names of fields that it
 * doesn't know (FuzzAnything/PromptFuzz#42), and has its signatures in the `extra_content` of calls.
 */
export function withoutDetails(body: RequestBody): RequestBody {
  const { messages } = body.outline
  if (!Array.isArray(messages) || !messages.some((message) => isObject(message) && details in message)) return body
  const kept = (body.json.messages as readonly unknown[]).map((message) =>
    isObject(message) ? Object.fromEntries(Object.entries(message).filter(([name]) => name !== details)) : message,
  )
  return edited(body, { set: new Map([['messages', JSON.stringify(kept)]]) })
}
