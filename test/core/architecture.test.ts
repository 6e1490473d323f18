import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { registry } from '../../providers/index.ts'

const root = fileURLToPath(new URL('../../src/', import.meta.url))
/** The chat in the terminal is a client: a program of its own that meets the gateway over HTTP only. */
const isClient = (name: string) => name.startsWith('chat/')
const isEntry = (name: string) =>
  /^(node|cli|library)\//.test(name) || name === 'worker.ts' || name === 'import/command.ts' || isClient(name)

/** Where `src/` would be, so that relative imports can be followed. */
const base = 'http://root.test/src/'

interface SourceFile {
  readonly name: string
  /** Without comments. */
  readonly code: string
  readonly imports: readonly string[]
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '')
}

const files: readonly SourceFile[] = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
  .map((name) => {
    const code = withoutComments(readFileSync(root + name, 'utf8'))
    const imports = [...code.matchAll(/\b(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => match[1] as string)
    return { name: name.replaceAll('\\', '/'), code, imports }
  })

const inner = files.filter(({ name }) => !isEntry(name))
const under = (folder: string) => files.filter(({ name }) => name.startsWith(`${folder}/`))

describe('The source', () => {
  it('is what these tests think it is', () => {
    for (const name of ['node/main.ts', 'worker.ts', 'gateway.ts', 'wire/body.ts', 'core/stream.ts']) {
      expect(files.map((file) => file.name)).toContain(name)
    }
    expect(files.find(({ name }) => name === 'node/build.ts')?.imports).toContain('../../providers/index.ts')
  })

  it('knows no provider outside the entry files: providers depend on it, not it on them', () => {
    const offending = inner.filter(({ name, imports }) =>
      imports.some(
        (path) => path.startsWith('.') && new URL(path, new URL(name, base)).pathname.startsWith('/providers/'),
      ),
    )
    expect(offending.map(({ name }) => name)).toEqual([])
  })

  it('names no provider in its code', () => {
    const types = Object.values(registry).flatMap(({ type, name }) => (name ? [type, name] : [type]))
    const spoken = (code: string, type: string) => new RegExp(`(?<!from |import\\()(['"\`])${type}\\1`).test(code)
    const found = files.flatMap(({ name, code }) =>
      types.filter((type) => spoken(code, type)).map((type) => `${name}: ${type}`),
    )
    expect(found).toEqual([])
  })

  it('reads no environment and asks for no runtime outside the entry files', () => {
    const forbidden = /\bprocess\s*\.|\bprocess\b\s*\?|\bglobalThis\b|\bnavigator\b|\bDeno\b|\bBun\b|import\.meta\.env/
    expect(inner.filter(({ code }) => forbidden.test(code)).map(({ name }) => name)).toEqual([])
  })

  it('reads and writes the wire without any I/O', () => {
    const forbidden = /^node:|^hono|^undici|\/runtime\/|\/config\/|\/layers\/|\/http\/|gateway\.ts$/
    const offending = under('wire').flatMap(({ name, imports }) =>
      imports.filter((path) => forbidden.test(path)).map((path) => `${name}: ${path}`),
    )
    expect(offending).toEqual([])
    const active = under('wire').filter(({ code }) =>
      /\bfetch\(|\bsetTimeout\b|\bDate\.now\b|\bMath\.random\b/.test(code),
    )
    expect(active.map(({ name }) => name)).toEqual([])
  })

  it.each(['core', 'layers', 'connect', 'operations', 'dialects'])(
    'keeps Node, Hono and the clock out of %s',
    (folder) => {
      const offending = under(folder).filter(
        ({ name, code, imports }) =>
          imports.some((path) => /^node:|^hono|^undici|^@hono|\/runtime\//.test(path)) ||
          (name !== 'core/clock.ts' && /\bsetTimeout\b|\bsetInterval\b|\bDate\.now\b|\bMath\.random\b/.test(code)),
      )
      expect(offending.map(({ name }) => name)).toEqual([])
    },
  )

  it('imports packages only where they belong', () => {
    const packages = inner.flatMap(({ name, imports }) =>
      imports.filter((path) => !path.startsWith('.') && !path.startsWith('node:')).map((path) => `${name}: ${path}`),
    )
    expect(packages.filter((line) => !/^(http\/|runtime\/|config\/|import\/)/.test(line))).toEqual([])
  })

  it('has no circle of imports', () => {
    const targets = new Map(
      files.map(({ name, imports }) => [
        name,
        imports
          .filter((path) => path.startsWith('.'))
          .map((path) => new URL(path, new URL(name, base)).pathname.slice('/src/'.length)),
      ]),
    )
    const settled = new Set<string>()
    const circles: string[] = []
    const walk = (name: string, way: readonly string[]) => {
      if (settled.has(name)) return
      if (way.includes(name)) {
        circles.push([...way.slice(way.indexOf(name)), name].join(' → '))
        return
      }
      for (const next of targets.get(name) ?? []) walk(next, [...way, name])
      settled.add(name)
    }
    for (const { name } of files) walk(name, [])
    expect(circles).toEqual([])
  })

  it('carries streams nowhere but at the edges', () => {
    const words = /\b(carrying|doubled|native|fork|passed|whenCarried|pipeTo|ReadableStream|WritableStream)\b/i
    const outside = files.filter(({ name, code }) => !name.startsWith('runtime/') && !isEntry(name) && words.test(code))
    expect(outside.map(({ name }) => name)).toEqual([])
    expect(under('runtime').filter(({ code }) => words.test(code))).not.toEqual([])
  })

  it('leaves the paths and the words of an API to its dialect', () => {
    const words = /\blegacy\b|chat\/completions|engines\//
    const spoken = ['core', 'layers', 'connect', 'wire'].flatMap(under).filter(({ code }) => words.test(code))
    expect(spoken.map(({ name }) => name)).toEqual([])
  })

  it('knows an operation by its object, never by its name, outside the operations', () => {
    const named = /(['"`])(chat|completions|embeddings|responses)\1/
    const offending = ['core', 'layers', 'connect', 'runtime'].flatMap(under).filter(({ code }) => named.test(code))
    expect(offending.map(({ name }) => name)).toEqual([])
  })
})
