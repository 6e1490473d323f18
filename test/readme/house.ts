import { cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect } from 'vitest'
import type { registry } from '../../providers/index.ts'
import type { assemble } from '../../src/assemble.ts'
import { run } from './children.ts'
import { root, type Snippet } from './snippets.ts'
import { folder } from './workspace.ts'

/** A copy of the sources with what the README adds to them. */
export interface House {
  readonly assemble: typeof assemble
  readonly registry: typeof registry
}

const house = join(folder, 'house')

/** Copies the sources, adds the README's files and patches, and has the compiler check the whole. */
export async function build(snippets: readonly Snippet[]): Promise<House> {
  await Promise.all(['src', 'providers'].map((name) => cp(join(root, name), join(house, name), { recursive: true })))
  for (const { kind, argument, text } of snippets) {
    const file = join(house, argument)
    if (kind === 'file') {
      await mkdir(dirname(file), { recursive: true })
      await writeFile(file, text)
    }
    if (kind === 'patch') await writeFile(file, patched(await readFile(file, 'utf8'), text))
  }
  const config = { extends: join(root, 'tsconfig.json'), include: ['src', 'providers'], exclude: ['src/worker.ts'] }
  await writeFile(join(house, 'tsconfig.json'), JSON.stringify(config))
  expect((await run('tsc', ['-p', join(house, 'tsconfig.json')])).stdout).toBe('')
  const load = (name: string) => import(pathToFileURL(join(house, name)).href)
  return { ...(await load('src/assemble.ts')), ...(await load('providers/index.ts')) }
}

/**
 * `text` with a patch: a line that begins with `-` is replaced by the next one with `+`; other lines with `+` go below
 * the line before them, which must be there once, or to the top.
 */
export function patched(text: string, patch: string): string {
  const lines = text.split('\n')
  let at = 0
  for (const line of patch.trimEnd().split('\n')) {
    const content = line.slice(1)
    if (line.startsWith('+')) lines.splice(at++, 0, content)
    else {
      const places = lines.flatMap((other, place) => (other === content ? [place] : []))
      if (places.length !== 1)
        throw new Error(`the README patches a line that is there ${places.length} times: ${content}`)
      const [place = 0] = places
      if (line.startsWith('-')) lines.splice(place, 1)
      at = line.startsWith('-') ? place : place + 1
    }
  }
  return lines.join('\n')
}
