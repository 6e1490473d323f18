import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../../', import.meta.url))

/** What is written for people. `docs/faults.md` is what a program prints. */
export const pages = ['README.md', ...chapters().filter((name) => name !== 'docs/faults.md')].map((name) => ({
  name,
  text: readFileSync(new URL(name, `file://${root}`), 'utf8'),
}))

function chapters(): string[] {
  return readdirSync(new URL('docs/', `file://${root}`))
    .filter((name) => name.endsWith('.md'))
    .sort()
    .map((name) => `docs/${name}`)
}

/** All of it. */
export const readme = pages.map(({ text }) => text).join('\n')

/** A fenced block: ```` ```ts run: config whole ```` has the kind `config` and the argument `whole`. */
export interface Snippet {
  /** The file that it stands in. */
  readonly page: string
  readonly line: number
  readonly language: string
  /** How it is run; undefined when its fence doesn't say. */
  readonly kind: string | undefined
  readonly argument: string
  readonly text: string
}

export const snippets: readonly Snippet[] = pages.flatMap(({ name, text }) => snippetsOf(text, name))

export function snippetsOf(markdown: string, page = ''): Snippet[] {
  const lines = markdown.split('\n')
  const snippets: Snippet[] = []
  for (let at = 0; at < lines.length; at++) {
    const fence = /^\s*(?:```|~~~)(\S*)(?: run: (\S+) ?(.*))?/.exec(lines[at] ?? '')
    if (!fence) continue
    const end = lines.findIndex((line, index) => index > at && /^\s*(```|~~~)\s*$/.test(line))
    if (end < 0) throw new Error(`the block at line ${at + 1} of ${page} has no end`)
    const [, language = '', kind, argument = ''] = fence
    snippets.push({ page, line: at + 1, language, kind, argument, text: `${lines.slice(at + 1, end).join('\n')}\n` })
    at = end
  }
  return snippets
}

/** The rows of the table that stands behind `<!-- check: name -->`, without its head. */
export function tableOf(markdown: string, name: string): string[][] {
  const [, behind] = markdown.split(`<!-- check: ${name} -->\n`)
  if (behind === undefined) throw new Error(`no table is marked as ${name}`)
  const lines = behind.split('\n')
  const end = lines.findIndex((line) => !line.startsWith('|'))
  return lines.slice(2, end).map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  )
}

/** What stands in backticks. */
export function codesIn(text: string): string[] {
  return [...text.replaceAll(/^```[\s\S]*?^```$/gm, '').matchAll(/`([^`]+)`/g)].map(([, code = '']) => code)
}
