/** What a client says of kept answers in `cache-control`. */
export interface Control {
  /** Its answer isn't kept, and comes from its model. */
  readonly noStore: boolean
  /** Its answer comes from its model. */
  readonly noCache: boolean
  /** The age in milliseconds that a kept answer may have. */
  readonly maxAge: number
}

const anything: Control = { noStore: false, noCache: false, maxAge: Number.POSITIVE_INFINITY }

/** https://www.rfc-editor.org/rfc/rfc9111.html#section-5.2.1, as far as it says what may be answered. */
export function readControl(header: string | undefined): Control {
  if (header === undefined) return anything
  const directives = new Map(
    header.split(',').map((directive) => {
      const [name = '', value] = directive.split('=', 2)
      return [name.trim().toLowerCase(), value?.trim().replace(/^"(.*)"$/, '$1')] as const
    }),
  )
  const seconds = directives.get('max-age')
  const isNumber = seconds !== undefined && /^\d+$/.test(seconds)
  return {
    noStore: directives.has('no-store'),
    noCache: directives.has('no-cache'),
    maxAge: isNumber ? Number(seconds) * 1000 : Number.POSITIVE_INFINITY,
  }
}
