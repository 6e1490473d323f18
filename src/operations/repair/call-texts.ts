import { isObject, type JsonObject, tryParse } from '../../wire/json.ts'
import { members } from '../../wire/members.ts'

/** The functions that a request offers, by name, with the schemas of their parameters. */
export type Offered = ReadonlyMap<string, JsonObject>

/** A call that a text amounts to. `arguments` is a JSON text. */
export interface Written {
  readonly name: string
  readonly arguments: string
}

/** `open`: the text may be a call once there is more of it. */
export type Reading = readonly Written[] | 'open' | 'none'

/** One call, a list of them, or several one after the other, with semicolons or line breaks in between. */
export function readJSON(text: string, offered: Offered): Reading {
  const value = tryParse(text)
  const list = Array.isArray(value) ? value : isObject(value) ? [value] : undefined
  if (!list) return severalIn(text, offered) ?? (endsInText(text) ? 'open' : 'none')
  if (list.length === 1 && isObject(value)) return allOf([calledIn(text, offered)])
  return allOf(list.map((one) => calledIn(JSON.stringify(one), offered)))
}

function severalIn(text: string, offered: Offered): Reading | undefined {
  const parts = text.trim().split(/(?<=\})[\s;]+(?=\{)/)
  if (parts.length < 2 || !parts.every((part) => isObject(tryParse(part)))) return undefined
  return allOf(parts.map((part) => calledIn(part, offered)))
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** The call that the text of an object is. Its arguments stay as they are written: numbers may be longer than JavaScript's. */
function calledIn(text: string, offered: Offered): Written | undefined {
  const value = tryParse(text)
  if (!isObject(value)) return undefined
  const bytes = encoder.encode(text)
  const all = members(bytes)
  const find = (...keys: string[]) => all.find(({ key }) => keys.includes(key))
  const inner = isObject(value.function) ? find('function') : undefined
  if (inner) return calledIn(decoder.decode(bytes.subarray(inner.valueStart, inner.end)), offered)
  const { name } = value
  const given = find('arguments', 'parameters')
  if (typeof name !== 'string' || !offered.has(name)) return undefined
  if (!given) return { name, arguments: '{}' }
  const said = value[given.key]
  if (isObject(said)) return { name, arguments: decoder.decode(bytes.subarray(given.valueStart, given.end)) }
  return typeof said === 'string' && isObject(tryParse(said)) ? { name, arguments: said } : undefined
}

function allOf(calls: readonly (Written | undefined)[]): Reading {
  const good = calls.filter((call) => call !== undefined)
  return good.length > 0 && good.length === calls.length ? good : 'none'
}

/** Whether JSON ends inside one of its texts, which may have spoken of the closing mark. */
function endsInText(json: string): boolean {
  let inside = false
  for (let at = 0; at < json.length; at++) {
    if (json[at] === '"') inside = !inside
    else if (inside && json[at] === '\\') at++
  }
  return inside
}

/** `<function=name>`, then JSON or parameters, then `</function>`; perhaps several. */
export function readFunctions(text: string, offered: Offered): Reading {
  const parts = text.trim().split(/(?<=<\/function>)\s*(?=<function=)/)
  const calls: (Written | undefined)[] = []
  for (const part of parts) {
    const [, name = '', inner = ''] = /^<function=([^>]*)>([\s\S]*)<\/function>$/.exec(part.trim()) ?? []
    const schema = offered.get(name.trim())
    const body = inner.trim()
    if (!schema) return 'none'
    if (body.startsWith('{')) {
      if (!isObject(tryParse(body))) return endsInText(body) ? 'open' : 'none'
      calls.push({ name: name.trim(), arguments: body })
      continue
    }
    const given = parametersIn(body)
    if (!given) return body.lastIndexOf('<parameter=') > body.lastIndexOf('</parameter>') ? 'open' : 'none'
    calls.push({ name: name.trim(), arguments: typed(given, schema) })
  }
  return allOf(calls)
}

type Pairs = readonly (readonly [key: string, value: string])[]

/** Undefined if there is anything else beside them. */
function parametersIn(text: string): Pairs | undefined {
  return pairsIn(text, '</parameter>', /^\s*<parameter=([^>]*)>([\s\S]*)$/)
}

/** Pairs that each end with a mark. Takes them apart at the marks, since a search for both would be slow on half a pair. */
function pairsIn(text: string, closes: string, one: RegExp): Pairs | undefined {
  const parts = text.split(closes)
  if (parts.pop()?.trim() !== '') return undefined
  const pairs: [string, string][] = []
  for (const part of parts) {
    const [matched, key = '', value = ''] = one.exec(part) ?? []
    if (matched === undefined) return undefined
    pairs.push([key.trim(), value])
  }
  return pairs
}

/** GLM: the name, then its arguments in pairs of tags. */
export function readPairs(text: string, offered: Offered): Reading {
  const [name = ''] = text.split(/\s|<arg_key>/, 1)
  const schema = offered.get(name)
  if (!schema) return 'none'
  const pairs = pairsIn(text.slice(name.length), '</arg_value>', pair)
  return pairs ? [{ name, arguments: typed(pairs, schema) }] : 'none'
}

const pair = /^\s*<arg_key>([\s\S]*?)<\/arg_key>\s*<arg_value>([\s\S]*)$/

/** Values are written as plain text there, so only the schema tells which of them are texts. */
function typed(pairs: Pairs, schema: JsonObject): string {
  const properties = isObject(schema.properties) ? schema.properties : {}
  const valueFor = (key: string, text: string): unknown => {
    const property = Object.hasOwn(properties, key) ? properties[key] : undefined
    const types = isObject(property) ? [property.type].flat() : []
    // The line breaks around a value are the template's.
    const own = text.replace(/^\r?\n/, '').replace(/\r?\n$/, '')
    if (types.includes('string') && !(types.includes('null') && own === 'null')) return own
    const value = tryParse(own)
    return value === undefined ? own : value
  }
  return JSON.stringify(Object.fromEntries(pairs.map(([key, text]) => [key, valueFor(key, text)])))
}

export function readMistral(inner: string, offered: Offered): Reading {
  const text = inner.replace(/<\/s>\s*$/, '').trim()
  if (/^[{[]/.test(text)) return readJSON(text, offered)
  const calls = text.split('[TOOL_CALLS]').map((part): Written | undefined => {
    const [, name = '', body = ''] =
      /^\s*([^\s[{]+?)\s*(?:\[CALL_ID\][^[{]*)?(?:\[ARGS\])?\s*(\{[\s\S]*\})\s*$/.exec(part) ?? []
    return offered.has(name) && isObject(tryParse(body)) ? { name, arguments: body.trim() } : undefined
  })
  return allOf(calls)
}

/** R1 and V3 write a type, the name, and JSON in a fence; V3.1 the name and JSON. */
export function readDeepSeek(inner: string, offered: Offered): Reading {
  const parts = inner.split('<｜tool▁call▁begin｜>')
  if (parts.shift()?.trim() !== '') return 'none'
  return allOf(
    parts.map((part) => {
      const [head = '', rest = ''] = part.replace(/<｜tool▁call▁end｜>\s*$/, '').split('<｜tool▁sep｜>')
      const fenced = /^([^\n]*)\n```(?:json)?\n([\s\S]*?)\n?```\s*$/.exec(rest)
      const name = (fenced?.[1] ?? head).trim()
      const body = (fenced?.[2] ?? rest).trim()
      return offered.has(name) && isObject(tryParse(body)) ? { name, arguments: body } : undefined
    }),
  )
}

/** `functions.name:0`, then JSON. */
export function readKimi(inner: string, offered: Offered): Reading {
  const parts = inner.split('<|tool_call_begin|>')
  if (parts.shift()?.trim() !== '') return 'none'
  return allOf(
    parts.map((part) => {
      const [head = '', rest = ''] = part.replace(/<\|tool_call_end\|>\s*$/, '').split('<|tool_call_argument_begin|>')
      const name = head
        .trim()
        .replace(/^functions\./, '')
        .replace(/:\d+$/, '')
      const body = rest.trim()
      return offered.has(name) && isObject(tryParse(body)) ? { name, arguments: body } : undefined
    }),
  )
}
