import { readdir } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import { readText } from '../../src/config/text.ts'
import { type ImportSource, importConfiguration, importSources } from '../../src/import/command.ts'
import { ImportError } from '../../src/import/source.ts'

/**
 * `npm run proof:imports -- FOLDER`: imports every configuration in a folder, and prints for each how many of its parts are
 * carried, changed and lost, and whether the gateway loads the result. A file's kind is the name of its folder, or begins
 * with it: `litellm-docs`. Exits with 1 if a result can't be loaded, or an import fails otherwise than by an `ImportError`.
 */
const [folder] = process.argv.slice(2)
if (folder === undefined) {
  console.error('npm run proof:imports -- FOLDER')
  process.exit(2)
}

interface Row {
  readonly file: string
  readonly counts: readonly number[]
  readonly loads: string
}

const rows: Row[] = []
for (const path of await filesIn(folder)) {
  const kind = kindOf(path)
  if (kind) rows.push(tryOut(kind, path, await readText(path)))
}

function tryOut(source: ImportSource, file: string, text: string): Row {
  try {
    const { notes, problems } = importConfiguration({ source, text, format: 'yaml' })
    const counts = (['carried', 'changed', 'lost'] as const).map(
      (outcome) => notes.filter((note) => note.outcome === outcome).length,
    )
    return { file, counts, loads: problems.length === 0 ? 'yes' : `NO: ${problems[0]}` }
  } catch (error) {
    const told = error instanceof ImportError
    return { file, counts: [], loads: told ? `refused: ${error.message}` : `CRASH: ${error}` }
  }
}

async function filesIn(at: string): Promise<string[]> {
  const entries = await readdir(at, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile() && /^\.(ya?ml|json)$/.test(extname(entry.name)))
  return files.map((entry) => join(entry.parentPath, entry.name)).sort()
}

function kindOf(path: string): ImportSource | undefined {
  return importSources.find((source) => path.split('/').some((part) => part.startsWith(source)))
}

const width = Math.max(...rows.map(({ file }) => basename(file).length), 4)
const line = (cells: readonly (string | number)[], loads: string) =>
  `${String(cells[0]).padEnd(width)}  ${cells
    .slice(1)
    .map((cell) => String(cell).padStart(7))
    .join('  ')}  ${loads}`
console.log(line(['file', 'carried', 'changed', 'lost'], 'loads'))
for (const { file, counts, loads } of rows)
  console.log(line([basename(file), ...(counts.length > 0 ? counts : ['', '', ''])], loads))
const sum = (at: number) => rows.reduce((total, { counts }) => total + (counts[at] ?? 0), 0)
const count = (start: string) => rows.filter(({ loads }) => loads.startsWith(start)).length
console.log(line([`${rows.length} files`, sum(0), sum(1), sum(2)], `${count('yes')} load, ${count('refused')} refused`))
const bad = count('NO') + count('CRASH')
if (bad > 0) {
  console.error(`${bad} can't be loaded`)
  process.exit(1)
}
