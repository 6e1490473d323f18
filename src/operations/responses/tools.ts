import { invalid } from '../../wire/body.ts'
import { shorten } from '../../wire/errors.ts'
import { isObject, type JsonObject, stringAt } from '../../wire/json.ts'
import { asFunction } from '../choices/custom-function.ts'
import { wrongType } from '../common/fields.ts'
import { requiredIn } from './content.ts'

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

/** A tool as the client gave it, and where. */
export interface GivenTool {
  readonly tool: unknown
  readonly path: string
}

/** The tools in a list at `path`. */
export function toolsAt(list: unknown, path: string): readonly GivenTool[] {
  return Array.isArray(list) ? list.map((tool: unknown, at) => ({ tool, path: `${path}[${at}]` })) : []
}

/**
 * The tools of a request that a chat model can be offered. Functions stay functions, also those inside namespaces; a
 * custom tool becomes a function with one text. Codex refuses a call in any other form than that of its own tool.
 */
export class Tools {
  readonly #offered = new Map<string, OfferedTool>()
  /** In chat's format. */
  readonly chat: JsonObject[] = []
  readonly #dropped = new Set<string>()

  constructor(given: readonly GivenTool[]) {
    for (const { tool, path } of given) {
      if (!isObject(tool)) continue
      if (tool.type !== 'namespace' || !Array.isArray(tool.tools)) this.#offer(tool, path)
      else
        for (const inner of toolsAt(tool.tools, `${path}.tools`))
          this.#offer(inner.tool, inner.path, stringAt(tool, 'name'))
    }
  }

  /** What no chat model can do, such as OpenAI's own search: left out, since Codex always offers it. */
  get dropped(): readonly string[] {
    return [...this.#dropped]
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

  /**
   * Chat's `tools`, `tool_choice` and `parallel_tool_calls`; none if there is nothing to call. Throws the 400 for a choice
   * of what is not there.
   */
  fields({ tool_choice: choice, parallel_tool_calls: parallel }: JsonObject): JsonObject {
    const chosen = choice === undefined || choice === null ? undefined : this.#chosen(choice)
    const allowed = this.#allowed(choice)
    if (allowed.length === 0) {
      if (chosen === 'required' || isObject(choice)) this.#dropped.add('tool_choice')
      return {}
    }
    return {
      tools: allowed,
      ...(chosen !== undefined && { tool_choice: chosen }),
      ...(typeof parallel === 'boolean' && { parallel_tool_calls: parallel }),
    }
  }

  #offer(tool: unknown, path: string, namespace?: string): void {
    if (!isObject(tool)) return
    const { type, description, parameters, strict } = tool
    if (type !== 'function' && type !== 'custom') {
      this.#dropped.add(`tools.${typeof type === 'string' ? shorten(type, longestName) : 'unknown'}`)
      return
    }
    const name = requiredIn(tool, 'name', path)
    const custom = type === 'custom'
    // The first of two with one name is the one that a call could only mean.
    if ([...this.#offered.values()].some((one) => one.name === name && one.namespace === namespace)) return
    const called = this.#free(namespace ? joined(namespace, name) : name)
    this.#offered.set(called, { called, name, namespace, custom })
    const described = {
      name: called,
      ...(description !== undefined && { description }),
      parameters: parameters ?? noParameters,
      ...(typeof strict === 'boolean' && { strict }),
    }
    this.chat.push({ type: 'function', function: custom ? asFunction(called, tool) : described })
  }

  /** A name that no other tool has: two of a namespace each may amount to the same. */
  #free(name: string): string {
    for (let number = 1; ; number++) {
      const free = number === 1 ? name : `${name.slice(0, longestName - 4)}_${number}`
      if (!this.#offered.has(free)) return free
    }
  }

  #allowed(choice: unknown): readonly JsonObject[] {
    if (!isObject(choice) || choice.type !== 'allowed_tools') return this.chat
    const names = new Set(
      toolsAt(choice.tools, 'tool_choice.tools').map(({ tool, path }) => this.#calledIn(tool, path)),
    )
    return this.chat.filter((tool) => names.has(stringAt(tool.function, 'name')))
  }

  #chosen(choice: unknown): unknown {
    if (typeof choice === 'string' && modes.includes(choice)) return choice
    if (typeof choice === 'string') throw unknownMode(choice)
    if (!isObject(choice)) throw wrongType('tool_choice', 'a string or an object', choice)
    if (choice.type === 'allowed_tools') return choice.mode === 'required' ? 'required' : 'auto'
    const name = this.#calledIn(choice, 'tool_choice')
    if (name !== undefined) return { type: 'function', function: { name } }
    // A tool that was left out can't be chosen.
    this.#dropped.add('tool_choice')
    return 'auto'
  }

  /** The name by which a model knows a tool that a choice names. Undefined: it is of a kind that no chat has. */
  #calledIn(named: unknown, path: string): string | undefined {
    if (!isObject(named) || (named.type !== 'function' && named.type !== 'custom')) return undefined
    const name = requiredIn(named, 'name', path)
    const called = this.calledOf(name, stringAt(named, 'namespace'))
    if (this.#offered.has(called)) return called
    throw invalid(`Tool choice '${shorten(name)}' not found in 'tools' parameter.`, 'tool_choice', 'invalid_value')
  }
}

const modes = ['none', 'auto', 'required']

function unknownMode(mode: string) {
  const message = `Invalid value: '${shorten(mode)}'. Supported values are: 'none', 'auto', and 'required'.`
  return invalid(message, 'tool_choice', 'invalid_value')
}

/** The same for the same tool in every turn, so that the upstream's prompt cache fits. */
function joined(namespace: string, name: string): string {
  const whole = `${namespace}__${name}`.replace(/[^\w-]/g, '_')
  return whole.length <= longestName ? whole : whole.slice(-longestName)
}

const noParameters = { type: 'object', properties: {} }
