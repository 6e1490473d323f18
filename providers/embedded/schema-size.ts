/** Maximum values in a JSON schema, the schema itself and all keywords' values included. */
const MOST_VALUES = 3000
/** Maximum characters of all names and texts. Each may become a rule of the grammar. */
const MOST_CHARACTERS = 60_000
/** Maximum nesting of objects and arrays: a schema and its keyword are two levels. */
const DEEPEST = 100

/** What makes a schema too large to turn it into a grammar, or undefined. */
export function excessOf(schema: unknown): string | undefined {
  let values = 0
  let characters = 0
  const waiting: { readonly value: unknown; readonly depth: number }[] = [{ value: schema, depth: 0 }]
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { value, depth } = next
    if (++values > MOST_VALUES) return `more than ${MOST_VALUES} values`
    if (typeof value === 'string') characters += value.length
    else if (typeof value === 'object' && value !== null) {
      if (depth === DEEPEST) return `more than ${DEEPEST} levels of nesting`
      for (const [name, inner] of Object.entries(value)) {
        characters += name.length
        waiting.push({ value: inner, depth: depth + 1 })
        if (waiting.length > MOST_VALUES) return `more than ${MOST_VALUES} values`
      }
    }
    if (characters > MOST_CHARACTERS) return `more than ${MOST_CHARACTERS} characters`
  }
  return
}
