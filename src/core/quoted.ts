import { isObject, tryParse } from '../wire/json.ts'

/** An error that a text repeats from another server. */
export interface Quoted {
  readonly value: unknown
  /** The HTTP status in front of it. */
  readonly status?: number
}

/** Characters. A longer text takes too long to search for quotes, and is no error. */
const longest = 8000

/** What gateways write in front of an error that they pass on: `Error code: 400 - `, `OpenAIException - `, `400: `, `404 NOT_FOUND. `. */
const introduction = /(?:\b(\d{3})(?:\)?\s*[:,-]| [A-Z_]+\.)|exception\s*[:-]|error\s*[:-]|body:)\s*\[?$/i

/**
 * Finds an error inside a text: JSON, or the Python form of it that LiteLLM and others pass on. Only at the
 * beginning or behind words that introduce an error, because a text may as well quote the client's request.
 */
export function quotedError(text: string): Quoted | undefined {
  const start = text.indexOf('{')
  const end = text.lastIndexOf('}')
  if (start < 0 || end < start || end - start > longest) return undefined
  const introduced = introduction.exec(text.slice(Math.max(0, start - 80), start))
  if (!introduced && text.slice(0, start).trim() !== '') return undefined
  const inner = text.slice(start, end + 1)
  const value = tryParse(inner) ?? tryParse(fromPython(inner))
  if (!isObject(value)) return undefined
  return { value, ...(introduced?.[1] !== undefined && { status: Number(introduced[1]) }) }
}

const words: Readonly<Record<string, string>> = { None: 'null', True: 'true', False: 'false' }

/** Rewrites a Python dict as JSON: the quotes of its strings, and the names of its constants. */
function fromPython(text: string): string {
  return text.replace(
    /'((?:[^'\\]|\\.)*)'|"(?:[^"\\]|\\.)*"|\b(?:None|True|False)\b/gs,
    (whole, single: string | undefined) => {
      if (single === undefined) return words[whole] ?? escapes(whole)
      return `"${escapes(single.replaceAll("\\'", "'").replace(/\\.|"/gs, (part) => (part === '"' ? '\\"' : part)))}"`
    },
  )
}

/** JSON has no `\x41` and no `\'`. */
function escapes(text: string): string {
  return text.replace(/\\(?:x([0-9a-f]{2})|.)/gis, (whole, hex: string | undefined) => {
    if (hex !== undefined) return `\\u00${hex}`
    return whole === "\\'" ? "'" : whole
  })
}
