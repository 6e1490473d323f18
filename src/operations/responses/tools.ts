import { isObject, type JsonObject, stringAt } from '../../wire/json.ts'
import { asFunction } from '../choices/custom-function.ts'

/** A tool of a request: as a chat model calls it, and as the client knows it. */
export interface OfferedTool {
  /** Its name for the model: functions of a namespace get one of their own. */
  readonly called: string
  readonly name: string
  readonly namespace?: string | undefined
  /** Takes text of any form rather than JSON. */
  readonly custom: boolean
}

/** Items of an input that bring tools. */
export const bringingTools: ReadonlySet<unknown> = new Set(['additional_tools', 'tool_search_output'])

/** OpenAI's limit for the name of a function. */
const longestName = 64

/**
 * The tools of a request that a chat model can be offered. Functions stay functions, also those inside namespaces; a
 * custom tool becomes a function with one text. Codex refuses a call in any other form than that of its own tool.
 */
export class Tools {
  readonly #offered = new Map<string, OfferedTool>()
  /** In chat's format. */
  readonly chat: readonly JsonObject[]
  /** What no chat model can do, such as OpenAI's own search: left out, since Codex always offers it. */
  readonly dropped: readonly string[]

  constructor(tools: readonly unknown[]) {
    const chat: JsonObject[] = []
    const dropped = new Set<string>()
    for (const tool of tools.filter(isObject)) {
      const { type, name } = tool
      if (type === 'namespace' && Array.isArray(tool.tools)) {
        for (const inner of tool.tools.filter(isObject)) this.#offer(inner, chat, dropped, String(name ?? ''))
      } else this.#offer(tool, chat, dropped)
    }
    this.chat = chat
    this.dropped = [...dropped]
  }

  /** The tool that a model means by the name of its call. Some leave out the namespace. */
  find(called: string): OfferedTool {
    const named = this.#offered.get(called) ?? this.#only(called)
    return named ?? { called, name: called, custom: false }
  }

  #only(name: string): OfferedTool | undefined {
    const [tool, another] = [...this.#offered.values()].filter((one) => one.name === name)
    return another ? undefined : tool
  }

  /** The name by which a model knows a tool of the client's. */
  calledOf(name: string, namespace?: string): string {
    const named = [...this.#offered.values()].filter((tool) => tool.name === name)
    const meant = named.find((tool) => tool.namespace === namespace) ?? (namespace === undefined ? named[0] : undefined)
    return meant?.called ?? (namespace ? joined(namespace, name) : name)
  }

  /** Chat's `tools`, `tool_choice` and `parallel_tool_calls`; none if there is nothing to call. */
  fields({ tool_choice: choice, parallel_tool_calls: parallel }: JsonObject): JsonObject {
    const allowed = this.#allowed(choice)
    if (allowed.length === 0) return {}
    const chosen = isObject(choice) ? this.#chosen(choice) : choice
    return {
      tools: allowed,
      ...(chosen !== undefined && chosen !== null && { tool_choice: chosen }),
      ...(typeof parallel === 'boolean' && { parallel_tool_calls: parallel }),
    }
  }

  #offer(tool: JsonObject, chat: JsonObject[], dropped: Set<string>, namespace?: string): void {
    const { type, name, description, parameters, strict } = tool
    if ((type !== 'function' && type !== 'custom') || typeof name !== 'string') {
      dropped.add(`tools.${typeof type === 'string' ? type : 'unknown'}`)
      return
    }
    const custom = type === 'custom'
    const called = namespace ? joined(namespace, name) : name
    // The first of two with one name is the one that a call could only mean.
    if (this.#offered.has(called)) return
    this.#offered.set(called, { called, name, namespace, custom })
    const described = {
      name: called,
      ...(description !== undefined && { description }),
      parameters: parameters ?? noParameters,
      ...(typeof strict === 'boolean' && { strict }),
    }
    chat.push({ type: 'function', function: custom ? asFunction(called, tool) : described })
  }

  #allowed(choice: unknown): readonly JsonObject[] {
    if (!isObject(choice) || choice.type !== 'allowed_tools' || !Array.isArray(choice.tools)) return this.chat
    const names = new Set(choice.tools.flatMap((tool) => this.#calledIn(tool) ?? []))
    return this.chat.filter((tool) => names.has(stringAt(tool.function, 'name') ?? ''))
  }

  #chosen(choice: JsonObject): unknown {
    if (choice.type === 'allowed_tools') return choice.mode === 'required' ? 'required' : 'auto'
    const name = this.#calledIn(choice)
    // A tool that was left out can't be chosen.
    return name === undefined || !this.#offered.has(name) ? 'auto' : { type: 'function', function: { name } }
  }

  #calledIn(named: unknown): string | undefined {
    const name = stringAt(named, 'name')
    return name === undefined ? undefined : this.calledOf(name, stringAt(named, 'namespace'))
  }
}

/** The same for the same tool in every turn, so that the upstream's prompt cache fits. */
function joined(namespace: string, name: string): string {
  const whole = `${namespace}__${name}`.replace(/[^\w-]/g, '_')
  return whole.length <= longestName ? whole : whole.slice(-longestName)
}

const noParameters = { type: 'object', properties: {} }
