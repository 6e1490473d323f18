/** 405 for 4.5: `claude-sonnet-4-5-20250929`, `claude-3-5-haiku-latest`, `anthropic.claude-opus-4.6`. */
export function versionOf(model: string): number | undefined {
  const [, major, minor = 0] = /claude-(?:[a-z]+-)?(\d{1,2})(?!\d)(?:[-.](\d{1,2})(?!\d))?/i.exec(model) ?? []
  return major === undefined ? undefined : Number(major) * 100 + Number(minor)
}
