import type { WireContext } from '../../src/core/provider.ts'
import type { Stage } from '../../src/core/stream.ts'
import { GatewayError } from '../../src/wire/errors.ts'
import { isObject, type JsonObject, objectAt, stringAt, tryParse } from '../../src/wire/json.ts'
import { calledAs, finishOf, logprobsOf, servedModel, toolCalls, usageOf } from './answer.ts'
import { streamFailure } from './failures.ts'
import { overLines } from './lines.ts'
import { speaksOfFunctions } from './request.ts'

/** How one operation words its chunks. Everything it gives is the inside of a choice, `"index":0` apart. */
interface Format {
  readonly object: string
  /** A line with text and nothing else; its group is that text as JSON, which goes on without being parsed. */
  readonly plain: RegExp
  /** What surrounds the text of a plain line. */
  readonly around: readonly [before: string, after: string]
  readonly opening?: JsonObject
  /** What a line says, if it says anything. */
  readonly read: (line: JsonObject) => JsonObject | undefined
  readonly finish: (line: JsonObject) => JsonObject
}

/** `/api/chat`'s lines as `chat.completion.chunk` events. */
export function chatStream(context: WireContext): Stage {
  const legacy = speaksOfFunctions(context.body)
  let calls = 0
  let calledFinish: string | undefined
  const read = (line: JsonObject): JsonObject | undefined => {
    const message = objectAt(line, 'message') ?? {}
    const found = toolCalls(message, context).map((call, at) => ({ index: calls + at, ...call }))
    const called = calledAs(legacy && calls > 0 ? [] : found, legacy)
    calls += found.length
    calledFinish ??= called.finish
    const content = stringAt(message, 'content')
    const thinking = stringAt(message, 'thinking')
    const delta = { ...(thinking && { reasoning_content: thinking }), ...(content && { content }), ...called.fields }
    const logprobs = logprobsOf(line)
    return logprobs || Object.keys(delta).length > 0 ? { delta, logprobs, finish_reason: null } : undefined
  }
  return translated(context, {
    object: 'chat.completion.chunk',
    plain: plainChat,
    around: ['"delta":{"content":', '},"logprobs":null,"finish_reason":null'],
    opening: { delta: { role: 'assistant', content: '' }, logprobs: null, finish_reason: null },
    read,
    finish: (line) => ({ delta: {}, logprobs: null, finish_reason: finishOf(line, calledFinish) }),
  })
}

/** `/api/generate`'s lines as `text_completion` events. */
export function completionStream(context: WireContext): Stage {
  return translated(context, {
    object: 'text_completion',
    plain: plainCompletion,
    around: ['"text":', ',"logprobs":null,"finish_reason":null'],
    read(line) {
      const text = stringAt(line, 'response')
      return text ? { text, logprobs: null, finish_reason: null } : undefined
    },
    finish: (line) => ({ text: '', logprobs: null, finish_reason: finishOf(line) }),
  })
}

/**
 * The form of nearly every line. The pattern admits valid JSON only, so that the text it finds can go on as it came,
 * without being parsed and written again.
 */
function plainLine(before: string, after: string): RegExp {
  const name = String.raw`"[^"\\\x00-\x1f]*"`
  const text = String.raw`"[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*"`
  return new RegExp(String.raw`^\{"model":${name},"created_at":${name},${before}(${text})${after},"done":false\}$`)
}

const plainChat = plainLine(String.raw`"message":\{"role":"assistant","content":`, String.raw`\}`)
const plainCompletion = plainLine('"response":', '')

function translated(context: WireContext, format: Format): Stage {
  const wantsUsage = objectAt(context.body, 'stream_options')?.include_usage === true
  const tail = wantsUsage ? '}],"usage":null}\n\n' : '}]}\n\n'
  const textTail = format.around[1] + tail
  let start = ''
  let head = ''
  let textHead = ''
  let finished = false

  const framed = (choice: JsonObject) => `${head}${JSON.stringify(choice).slice(1, -1)}${tail}`
  const open = (line: JsonObject): string => {
    const { id, created } = context
    const fields = JSON.stringify({ id, object: format.object, created, model: servedModel(line, context) })
    start = `data: ${fields.slice(0, -1)},"choices":[`
    head = `${start}{"index":0,`
    textHead = head + format.around[0]
    return format.opening ? framed(format.opening) : ''
  }
  const close = (line: JsonObject): string => {
    finished = true
    const usage = wantsUsage ? `${start}],"usage":${JSON.stringify(usageOf(line))}}\n\n` : ''
    return `${framed(format.finish(line))}${usage}data: [DONE]\n\n`
  }
  const translate = (text: string): string => {
    if (finished) return ''
    const plain = head === '' ? undefined : format.plain.exec(text)?.[1]
    if (plain !== undefined) return plain === '""' ? '' : textHead + plain + textTail
    const line = parseLine(text, context)
    const opening = head === '' ? open(line) : ''
    const said = format.read(line)
    return opening + (said ? framed(said) : '') + (line.done === true ? close(line) : '')
  }

  return overLines(translate, () => {
    if (!finished) throw truncated()
  })
}

function parseLine(text: string, { model }: WireContext): JsonObject {
  const line = tryParse(text)
  if (!isObject(line)) throw new GatewayError('protocol', 'Ollama sent a line in its stream that is no JSON object.')
  if (line.error) throw streamFailure(line.error, model)
  return line
}

function truncated(): GatewayError {
  return new GatewayError('protocol', 'The upstream ended its stream before it was finished.', {
    code: 'upstream_stream_truncated',
  })
}
