import { readFile } from 'node:fs/promises'

const dependencies = ['undici', 'hono']

/** The versions that figures depend on besides the project's own code. */
export async function versions(): Promise<Readonly<Record<string, string>>> {
  const manifest = JSON.parse(await readFile('package.json', 'utf8')) as { dependencies: Record<string, string> }
  const pinned = dependencies.map((name) => [name, manifest.dependencies[name] ?? ''])
  return { node: process.version, ...Object.fromEntries(pinned) }
}
