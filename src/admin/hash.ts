/** A short hash of a configuration: 12 hex digits. Of what is written in it, so that no secret is behind it. */
export async function hashOf(config: unknown): Promise<string> {
  // The order stays: providers and deployments are tried in theirs.
  const text = JSON.stringify(config, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : (value ?? null)))
  const bytes = new TextEncoder().encode(text)
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
  return [...digest.subarray(0, 6)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}
