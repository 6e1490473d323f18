import { isObject } from '../../wire/json.ts'
import type { Path } from '../source.ts'
import type { Comments } from './places.ts'

const width = 120

/** The configuration as a program, `export default { … }`, with a comment above each part that it says something about. */
export function printProgram(configuration: unknown, comments: Comments): string {
  const top = (comments.get('[]') ?? []).map((line) => `// ${line}\n`).join('')
  return `${top}export default ${written(configuration, [], comments)}\n`
}

function written(value: unknown, path: Path, comments: Comments): string {
  if (typeof value === 'string') return quoted(value)
  if (!isObject(value) && !Array.isArray(value)) return JSON.stringify(value)
  const parts = Array.isArray(value)
    ? value.map((part: unknown, index) => ({ key: index, before: '', part }))
    : Object.entries(value).map(([key, part]) => ({ key, before: `${nameOf(key)}: `, part }))
  const [open, close, gap] = Array.isArray(value) ? ['[', ']', ''] : ['{', '}', ' ']
  if (parts.length === 0) return open + close
  const short = shortOf(value)
  // `2` for each level, and the key before it.
  if (short.length + path.length * 2 + 20 <= width && !hasComments(path, comments) && isFlat(value, path)) {
    return `${open}${gap}${short.slice(1, -1)}${gap}${close}`
  }
  const indent = '  '.repeat(path.length + 1)
  const lines = parts.map(({ key, before, part }) => {
    const place = [...path, key]
    const said = (comments.get(JSON.stringify(place)) ?? []).map((line) => `${indent}// ${line}\n`).join('')
    return `${said}${indent}${before}${written(part, place, comments)},\n`
  })
  return `${open}\n${lines.join('')}${'  '.repeat(path.length)}${close}`
}

/** On one line, without the spaces inside its outermost brackets. */
function shortOf(value: unknown): string {
  if (typeof value === 'string') return quoted(value)
  if (Array.isArray(value)) return `[${value.map((part: unknown) => spaced(shortOf(part))).join(', ')}]`
  if (!isObject(value)) return JSON.stringify(value)
  const fields = Object.entries(value).map(([key, part]) => `${nameOf(key)}: ${spaced(shortOf(part))}`)
  return `{${fields.join(', ')}}`
}

const spaced = (text: string) => (text.startsWith('{') && text !== '{}' ? `{ ${text.slice(1, -1)} }` : text)

/** Whether a part may stand on one line: the sections at the top may not. */
function isFlat(value: unknown, path: Path): boolean {
  return (
    path.length > 1 || Array.isArray(value) || Object.values(value as object).every((part) => typeof part !== 'object')
  )
}

/** Whether there is a comment for anything inside. */
function hasComments(path: Path, comments: Comments): boolean {
  const inside = path.length === 0 ? '[' : `${JSON.stringify(path).slice(0, -1)},`
  return [...comments.keys()].some((key) => key.startsWith(inside) && key !== '[]')
}

const nameOf = (key: string) =>
  /^[A-Za-z_$][\w$]*$/.test(key) && key !== '__proto__' ? key : key === '__proto__' ? `[${quoted(key)}]` : quoted(key)

function quoted(text: string): string {
  const json = JSON.stringify(text).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')
  return json.includes("'") ? json : `'${json.slice(1, -1).replaceAll('\\"', '"')}'`
}
