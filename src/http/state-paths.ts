/** Below which what a gateway keeps is found, if it keeps anything; with `/v1` or without. */
export const statePaths: readonly string[] = [
  '/keys',
  '/key',
  '/generation',
  '/requests',
  '/organization/usage',
  '/organization/costs',
]
