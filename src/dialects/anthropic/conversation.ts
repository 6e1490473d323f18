import { legalName } from '../../operations/common/legal-names.ts'
import { invalid } from '../../wire/body.ts'
import { GatewayError } from '../../wire/errors.ts'
import { isObject, type JsonObject, stringAt } from '../../wire/json.ts'
import type { ReasoningFormat } from '../../wire/reasoning-details.ts'
import { contentOf, partsFor, partsOf, type Reading, requiredIn } from './blocks.ts'
import { wrong } from './check.ts'
import { Thoughts } from './thoughts.ts'

/** What of a conversation the model reads that is asked. */
export interface Reads {
  /** The forms of thoughts. */
  readonly thoughts: readonly ReasoningFormat[]
  /** Whether `cache_control` is kept. */
  readonly marks: boolean
}

/** Chat's messages for `system` and `messages`, and the kinds of blocks that no chat has. */
export function conversationOf(
  { system, messages }: JsonObject,
  reads: Reads,
): { readonly messages: readonly JsonObject[]; readonly dropped: readonly string[] } {
  const dropped = new Set<string>()
  const reading: Reading = { marks: reads.marks, drop: (type) => dropped.add(`messages.${type}`) }
  const instructions = systemOf(system, reading)
  const turns = Array.isArray(messages) ? messages : []
  const all = turns.flatMap((turn: JsonObject, at) => {
    const made = messagesFor(turn, `messages.${at}`, reading, reads.thoughts)
    // Without it the model would go on with its own last turn, or answer an earlier one of the user's.
    if (made.length === 0 && turn.role === 'user' && at === turns.length - 1)
      throw unread(`messages.${at}`, [...dropped])
    return made
  })
  const said = withOneSystem([...instructions, ...all])
  if (said.length === 0) throw invalid('messages: at least one message must have content', 'messages')
  return { messages: said, dropped: [...dropped] }
}

/** Claude Code puts it in front, with its version: it would only spoil the prompt caches of others. */
const billing = /^x-anthropic-billing-header:/

function systemOf(system: unknown, reading: Reading): JsonObject[] {
  const blocks = typeof system === 'string' ? [{ type: 'text', text: system }] : Array.isArray(system) ? system : []
  const kept = blocks.filter((block) => !billing.test(stringAt(block, 'text') ?? ''))
  const content = contentOf(partsOf(kept, 'system', reading), '\n\n')
  return content.length === 0 ? [] : [{ role: 'system', content }]
}

function messagesFor(
  { role, content }: JsonObject,
  path: string,
  reading: Reading,
  reads: readonly ReasoningFormat[],
): JsonObject[] {
  if (typeof content === 'string') return [{ role, content }]
  const blocks = Array.isArray(content) ? content : []
  if (role === 'assistant') return assistantFor(blocks, `${path}.content`, reading, reads)
  if (role === 'user') return userFor(blocks, `${path}.content`, reading)
  const said = contentOf(partsOf(blocks, `${path}.content`, reading), '\n\n')
  return said.length === 0 ? [] : [{ role, content: said }]
}

function assistantFor(
  blocks: readonly unknown[],
  path: string,
  reading: Reading,
  reads: readonly ReasoningFormat[],
): JsonObject[] {
  const thoughts = new Thoughts(reads)
  const calls: JsonObject[] = []
  const parts: JsonObject[] = []
  for (const [at, block] of blocks.entries()) {
    if (isObject(block) && thoughts.take(block)) continue
    if (isObject(block) && block.type === 'tool_use') calls.push(callFor(block, `${path}.${at}`))
    else parts.push(...partsFor(block, `${path}.${at}`, reading))
  }
  if (parts.length === 0 && calls.length === 0) return []
  // A text with citations is cut into blocks in the middle of its sentences.
  const content = parts.length === 0 ? null : contentOf(parts, '')
  const called = calls.map((call) => ({ ...call, ...thoughts.extraOf(call.id) }))
  return [{ role: 'assistant', content, ...thoughts.fields, ...(called.length > 0 && { tool_calls: called }) }]
}

function callFor(block: JsonObject, path: string): JsonObject {
  const { input } = block
  if (input !== undefined && !isObject(input)) throw wrong(`${path}.input`, 'a valid dictionary')
  const called = { name: legalName(requiredIn(block, 'name', path)), arguments: JSON.stringify(input ?? {}) }
  return { id: requiredIn(block, 'id', path), type: 'function', function: called }
}

/** The results of tools come first, as chat has it: nothing may stand between a call and its result. */
function userFor(blocks: readonly unknown[], path: string, reading: Reading): JsonObject[] {
  if (blocks.length === 0)
    throw invalid(`${path.replace(/\.content$/, '')}: user messages must have non-empty content`, path)
  const results: JsonObject[] = []
  const parts: JsonObject[] = []
  for (const [at, block] of blocks.entries()) {
    if (!isObject(block) || block.type !== 'tool_result') {
      parts.push(...partsFor(block, `${path}.${at}`, reading))
      continue
    }
    const { message, others } = resultFor(block, `${path}.${at}`, reading)
    results.push(message)
    parts.push(...others)
  }
  return parts.length === 0 ? results : [...results, { role: 'user', content: contentOf(parts, '\n') }]
}

/** A chat's tool says texts. What else a result holds follows as if the user had shown it. */
function resultFor(block: JsonObject, path: string, reading: Reading) {
  const { content = '', is_error: failed, cache_control: mark } = block
  const given = typeof content === 'string' ? [{ type: 'text', text: content }] : content
  if (!Array.isArray(given)) throw wrong(`${path}.content`, 'a valid string or list')
  const parts = partsOf(given, `${path}.content`, reading)
  const texts = parts.filter(({ type }) => type === 'text')
  const said = texts.map(({ text }) => text).join('\n')
  const text = failed === true ? asError(said) : said
  const marked = reading.marks && isObject(mark) ? [{ type: 'text', text, cache_control: mark }] : text
  const message = { role: 'tool', tool_call_id: requiredIn(block, 'tool_use_id', path), content: marked }
  return { message, others: parts.filter(({ type }) => type !== 'text') }
}

/** A chat has no other way to say that a tool has failed. */
function asError(text: string): string {
  return /^\W{0,3}\w{0,20}error/i.test(text) ? text : `Error: ${text}`
}

/** `kinds`: those of blocks that no chat has. */
function unread(path: string, kinds: readonly string[]): GatewayError {
  const message = `${path}: nothing in it is supported with this model: ${kinds.join(', ')}`
  return new GatewayError('incapable', message, { param: path })
}

/** Many models take one system message only, and only in front. */
function withOneSystem(messages: readonly JsonObject[]): readonly JsonObject[] {
  const first = messages.findIndex(({ role }) => role !== 'system')
  const leading = messages.slice(0, first < 0 ? messages.length : first)
  if (leading.length < 2) return messages
  const parts = leading.flatMap(({ content }) =>
    typeof content === 'string' ? [{ type: 'text', text: content }] : content,
  )
  return [{ role: 'system', content: contentOf(parts as JsonObject[], '\n\n') }, ...messages.slice(leading.length)]
}
