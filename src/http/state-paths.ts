/** Below which what a gateway keeps is found, if it keeps anything; with `/v1` or without. */
const statePaths = [
  '/keys',
  '/key',
  '/generation',
  '/requests',
  '/organization/usage',
  '/organization/costs',
  '/organization/projects',
]

/** `path`: as routes are looked up by. */
export function isKept(path: string): boolean {
  return statePaths.some((kept) => path === kept || path.startsWith(`${kept}/`))
}
