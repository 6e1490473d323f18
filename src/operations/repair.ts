import type { OperationSpec, WireContext } from '../core/provider.ts'
import type { Emit, Stage } from '../core/stream.ts'
import { toolCallId } from '../wire/ids.ts'
import { isObject, type JsonObject, objectAt } from '../wire/json.ts'
import { EventReader, frame, parseEvent, type ServerEvent } from '../wire/sse.ts'
import { toldError } from '../wire/told-error.ts'

/**
 * The operation of a server that deviates slightly from OpenAI's format: adds keys that clients insist on, announces
 * tool calls once and sets their finish reason. Changes nothing valid. Only for servers known to need it.
 */
export function repaired(spec: OperationSpec): OperationSpec {
  return {
    ...spec,
    decode: (answer, context) => repairAnswer(spec.decode?.(answer, context) ?? answer, context),
    stream: (context) => repairStream(context),
  }
}

function repairAnswer(answer: JsonObject, context: WireContext): JsonObject {
  const { choices } = answer
  // An error or an invalid answer is not repaired: the caller reports it to the client.
  if (!Array.isArray(choices)) return answer
  return {
    ...answer,
    id: answer.id || context.id,
    object: answer.object ?? 'chat.completion',
    created: answer.created ?? context.created,
    model: answer.model || context.model,
    choices: choices.filter(isObject).map((choice, index) => {
      const message = isObject(choice.message) ? choice.message : undefined
      const calls = message && Array.isArray(message.tool_calls) ? message.tool_calls : []
      return {
        ...choice,
        index: choice.index ?? index,
        logprobs: choice.logprobs ?? null,
        finish_reason: calls.length > 0 && choice.finish_reason === 'stop' ? 'tool_calls' : choice.finish_reason,
        ...(message && { message: repairMessage(message, calls, context) }),
      }
    }),
  }
}

function repairMessage(message: JsonObject, calls: readonly unknown[], context: WireContext): JsonObject {
  const { tool_calls: _, ...rest } = message
  const whole = calls.filter(isObject).map((call) => ({
    ...call,
    id: realId(call.id) ?? toolCallId(context.random),
    type: 'function',
    function: repairFunction(call.function),
  }))
  return {
    ...rest,
    role: 'assistant',
    content: message.content ?? null,
    refusal: message.refusal ?? null,
    ...(whole.length > 0 && { tool_calls: whole }),
  }
}

/** OpenAI's format always has `arguments` as a JSON text. */
function repairFunction(call: unknown): unknown {
  if (!isObject(call)) return call
  const given = call.arguments
  return isObject(given) ? { ...call, arguments: JSON.stringify(given) } : call
}

/** TGI numbers its calls "0": in the next turn such an id could not be told from that of another call. */
function realId(id: unknown): string | undefined {
  return typeof id === 'string' && id.length > 1 ? id : undefined
}

interface ChoiceState {
  started: boolean
  finished: boolean
  /** The ids of the tool calls that have started, by index. */
  readonly calls: Map<number, string>
}

function repairStream(context: WireContext): Stage {
  const reader = new EventReader()
  const choices = new Map<number, ChoiceState>()
  let id: unknown
  let created: unknown
  const wantsUsage = objectAt(context.body, 'stream_options')?.include_usage === true
  const pass = (events: readonly ServerEvent[], emit: Emit) => {
    for (const { data } of events) {
      if (data === '[DONE]') continue
      const chunk = parseEvent(data)
      // llama.cpp starts a stream of several prompts with `data: null`.
      if (!isObject(chunk)) continue
      const error = toldError(chunk)
      if (error !== undefined) {
        const said = isObject(error) ? error : { message: String(error) }
        emit(frame({ error: { type: 'server_error', param: null, code: null, ...said } }))
        continue
      }
      id ??= chunk.id || context.id
      created ??= chunk.created ?? context.created
      for (const part of usageApart(chunk, wantsUsage)) {
        emit(frame(repairChunk(part, { context, id, created, choices })))
      }
    }
  }
  return {
    chunk: (bytes, emit) => pass(reader.read(bytes), emit),
    end: (emit) => pass(reader.end(), emit),
  }
}

/** Moves usage to a last chunk of its own, and drops it if the client didn't ask for it. */
function usageApart(chunk: JsonObject, wanted: boolean): JsonObject[] {
  if (!isObject(chunk.usage)) return [chunk]
  const { usage, ...rest } = chunk
  const parts: JsonObject[] = Array.isArray(chunk.choices) && chunk.choices.length > 0 ? [rest] : []
  return wanted ? [...parts, { ...rest, choices: [], usage }] : parts
}

interface StreamState {
  readonly context: WireContext
  readonly id: unknown
  readonly created: unknown
  readonly choices: Map<number, ChoiceState>
}

function repairChunk(chunk: JsonObject, state: StreamState): JsonObject {
  const { error: _, ...rest } = chunk
  const given = Array.isArray(chunk.choices) ? chunk.choices : []
  return {
    ...rest,
    id: state.id,
    object: chunk.object ?? 'chat.completion.chunk',
    created: state.created,
    model: chunk.model || state.context.model,
    choices: given.filter(isObject).map((choice, at) => repairChoice(choice, at, state)),
  }
}

function repairChoice(choice: JsonObject, at: number, { context, choices }: StreamState): JsonObject {
  const index = typeof choice.index === 'number' ? choice.index : at
  if ('text' in choice) return { ...choice, index, finish_reason: choice.finish_reason || null }
  const known = choices.get(index) ?? { started: false, finished: false, calls: new Map() }
  choices.set(index, known)
  const given = isObject(choice.delta) ? choice.delta : {}
  const { role: _, tool_calls: calls, ...delta } = given
  const told = Array.isArray(calls) ? calls.filter(isObject).map((call, n) => repairCall(call, n, known, context)) : []
  const reason = choice.finish_reason || null
  const repairedDelta = {
    ...(!known.started && { role: 'assistant' }),
    ...delta,
    ...(told.length > 0 && { tool_calls: told }),
  }
  known.started = true
  return {
    ...choice,
    index,
    delta: repairedDelta,
    logprobs: choice.logprobs ?? null,
    finish_reason: reason === 'stop' && known.calls.size > 0 ? 'tool_calls' : reason,
  }
}

/** A call's first delta has id, type and name, later ones don't; an index tells parallel calls apart. */
function repairCall(call: JsonObject, at: number, known: ChoiceState, { random }: WireContext): JsonObject {
  const index = typeof call.index === 'number' ? call.index : at
  const given = isObject(call.function) ? call.function : {}
  const text = isObject(given.arguments) ? JSON.stringify(given.arguments) : (given.arguments ?? '')
  if (known.calls.has(index)) return { index, function: { arguments: text } }
  const id = realId(call.id) ?? toolCallId(random)
  known.calls.set(index, id)
  return { index, id, type: 'function', function: { name: given.name ?? '', arguments: text } }
}
