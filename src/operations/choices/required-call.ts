import type { Requirement } from '../../core/structure.ts'
import { edited, type RequestBody } from '../../wire/body.ts'
import { isObject, type JsonObject, objectAt, stringAt } from '../../wire/json.ts'
import { callsIn } from '../repair/calls.ts'
import { choicesFeatures } from './features.ts'
import { messagesOf } from './messages.ts'

/** The call that `tool_choice` requires, which many servers leave to the model; undefined if it requires none. */
export function requiredCall(asked: JsonObject, overrides: JsonObject): Requirement | undefined {
  if (['tools', 'tool_choice', 'functions', 'function_call'].some((name) => name in overrides)) return undefined
  const { tool_required: any, tool_named: named } = choicesFeatures
  const param = any.find(asked) ?? named.find(asked)
  return param === undefined || !hasTools(asked) ? undefined : new RequiredCall(param, nameIn(asked[param]))
}

function hasTools({ tools, functions }: JsonObject): boolean {
  return [tools, functions].some((list) => Array.isArray(list) && list.length > 0)
}

function nameIn(choice: unknown): string | undefined {
  return stringAt(objectAt(choice, 'function') ?? objectAt(choice, 'custom') ?? choice, 'name')
}

class RequiredCall implements Requirement {
  readonly param: string
  /** Of the tool; undefined: any will do. */
  readonly #name: string | undefined

  constructor(param: string, name: string | undefined) {
    this.param = param
    this.#name = name
  }

  problem({ choices }: JsonObject): string | undefined {
    const all = Array.isArray(choices) ? choices.filter(isObject) : []
    return all.every((choice) => this.#isKept(choice)) ? undefined : `it doesn't call ${this.#name ?? 'a tool'}`
  }

  again(body: RequestBody, { choices }: JsonObject): RequestBody {
    const [choice] = Array.isArray(choices) ? choices : []
    const said = stringAt(objectAt(choice, 'message'), 'content')
    const words = `Answer with a call of ${this.#name ?? 'one of the tools'} and nothing else.`
    const messages = [
      ...messagesOf(body.json),
      ...(said ? [{ role: 'assistant', content: said }] : []),
      { role: 'user', content: words },
    ]
    return edited(body, { set: new Map([['messages', JSON.stringify(messages)]]) })
  }

  /** What is cut off, filtered or refused isn't mended by asking again. */
  #isKept({ message, finish_reason: reason }: JsonObject): boolean {
    if (!isObject(message) || message.refusal || reason === 'length' || reason === 'content_filter') return true
    const called = [...callsIn(message.tool_calls).map(nameIn), ...[message.function_call].filter(isObject).map(nameIn)]
    return this.#name === undefined ? called.length > 0 : called.includes(this.#name)
  }
}
