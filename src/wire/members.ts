/** A member of a JSON object as it stands in the text: `text.slice(start, end)` is `"key": value`. */
export interface Member {
  readonly key: string
  readonly start: number
  readonly valueStart: number
  readonly end: number
}

/** Changes to the top-level members of an object. Values are JSON texts, so that nothing is decoded on the way. */
export interface Edits {
  readonly set?: ReadonlyMap<string, string>
  readonly drop?: ReadonlySet<string>
}

/** The top-level members of `text`, which must be a valid JSON object: `JSON.parse` has seen it before. */
export function members(text: string): Member[] {
  const found: Member[] = []
  let at = skipSpace(text, text.indexOf('{') + 1)
  while (text[at] === '"') {
    const keyEnd = stringEnd(text, at)
    const valueStart = skipSpace(text, text.indexOf(':', keyEnd) + 1)
    const end = valueEnd(text, valueStart)
    found.push({ key: JSON.parse(text.slice(at, keyEnd)) as string, start: at, valueStart, end })
    at = skipSpace(text, end)
    if (text[at] === ',') at = skipSpace(text, at + 1)
  }
  return found
}

/**
 * `text` with its top-level members changed and every other byte as it was: numbers over 2^53, escapes, key order,
 * duplicate nested keys. Members that are set but not there go first, where routers that read a prefix find them.
 */
export function edit(text: string, edits: Edits): string {
  const all = members(text)
  const present = new Set(all.map((member) => member.key))
  const added = [...(edits.set ?? [])].filter(([key]) => !present.has(key))
  const dropping = all.some((member) => edits.drop?.has(member.key))
  if (added.length > 0 || dropping) return rebuild(text, all, added, edits)
  let result = ''
  let copied = 0
  for (const member of all) {
    const value = edits.set?.get(member.key)
    if (value === undefined) continue
    result += text.slice(copied, member.valueStart) + value
    copied = member.end
  }
  return result + text.slice(copied)
}

function rebuild(text: string, all: readonly Member[], added: [string, string][], edits: Edits): string {
  const parts = added.map(([key, value]) => `${JSON.stringify(key)}:${value}`)
  for (const member of all) {
    if (edits.drop?.has(member.key)) continue
    const value = edits.set?.get(member.key)
    parts.push(
      value === undefined ? text.slice(member.start, member.end) : text.slice(member.start, member.valueStart) + value,
    )
  }
  return `{${parts.join(',')}}`
}

function skipSpace(text: string, from: number): number {
  let at = from
  while (at < text.length && text.charCodeAt(at) <= 32) at++
  return at
}

/** The index behind the closing quote of the string that opens at `open`. */
function stringEnd(text: string, open: number): number {
  let quote = text.indexOf('"', open + 1)
  while (isEscaped(text, quote)) quote = text.indexOf('"', quote + 1)
  return quote + 1
}

function isEscaped(text: string, at: number): boolean {
  let slashes = 0
  while (text[at - 1 - slashes] === '\\') slashes++
  return slashes % 2 === 1
}

function valueEnd(text: string, start: number): number {
  const first = text[start]
  if (first === '"') return stringEnd(text, start)
  if (first !== '{' && first !== '[') return scalarEnd(text, start)
  const structure = /["{}[\]]/g
  structure.lastIndex = start
  let depth = 0
  for (let match = structure.exec(text); match; match = structure.exec(text)) {
    if (match[0] === '"') structure.lastIndex = stringEnd(text, match.index)
    else depth += match[0] === '{' || match[0] === '[' ? 1 : -1
    if (depth === 0) return structure.lastIndex
  }
  return text.length
}

function scalarEnd(text: string, start: number): number {
  const end = /[,}\]\s]/g
  end.lastIndex = start
  return end.exec(text)?.index ?? text.length
}
