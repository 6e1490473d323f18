import { overLines } from '../../src/core/lines.ts'
import type { WireContext } from '../../src/core/provider.ts'
import type { Stage } from '../../src/core/stream.ts'
import { GatewayError } from '../../src/wire/errors.ts'
import { isObject, type JsonObject, objectAt, stringAt, tryParse } from '../../src/wire/json.ts'
import { toldError } from '../../src/wire/told-error.ts'
import { calledAs, finishOf, logprobsOf, servedModel, toolCalls, usageOf } from './answer.ts'
import { speaksOfFunctions } from './request.ts'
import { streamFailure } from './stream-failure.ts'

/** How an operation formats its chunks. All objects are the content of a choice, without `"index":0`. */
interface Format {
  readonly object: string
  /** Matches a line that has only text. The group is the text as JSON, which is passed on without parsing. */
  readonly plain: RegExp
  /** What to put around the text of a plain line. */
  readonly around: readonly [before: string, after: string]
  readonly opening?: JsonObject
  /** The choice for a line, or undefined if the line has nothing to send. */
  readonly read: (line: JsonObject) => JsonObject | undefined
  readonly finish: (line: JsonObject) => JsonObject
}

/** Converts `/api/chat` lines to `chat.completion.chunk` events. */
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

/** Converts `/api/generate` lines to `text_completion` events. */
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

/** Makes an event of each line, for clients that read such lines themselves. */
export function ownStream(): Stage {
  return overLines('Ollama', (line) => `data: ${line.trim()}\n\n`)
}

/**
 * A pattern for the format of nearly all lines. It matches valid JSON only, so that the text can be copied without
 * being parsed and serialized again.
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

  return overLines('Ollama', translate, () => {
    if (!finished) throw truncated()
  })
}

function parseLine(text: string, { model }: WireContext): JsonObject {
  const line = tryParse(text)
  if (!isObject(line)) throw new GatewayError('protocol', 'Ollama sent a line in its stream that is no JSON object.')
  const error = toldError(line)
  if (error !== undefined) throw streamFailure(error, model)
  return line
}

function truncated(): GatewayError {
  return new GatewayError('protocol', 'The upstream ended its stream before it was finished.', {
    code: 'upstream_stream_truncated',
  })
}
