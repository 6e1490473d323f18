import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

export interface StateBindings {
  /** The id of the database; empty: a local one needs none. */
  readonly database: string
  /** Whether there is a queue. */
  readonly queue: boolean
}

const [begin, end] = ['## State:', '## End of state']
const variable = 'SAMEWIRE_STATE = "d1"'
const database = 'samewire'
const queue = 'samewire-ledger'

/** wrangler.toml with the lines for state in force. Throws an `Error` if they aren't there. */
export function withState(toml: string, bindings: StateBindings): string {
  const lines = toml.split('\n')
  const [from, to] = [begin, end].map((mark) => lines.findIndex((line) => line.startsWith(mark))) as [number, number]
  if (from < 0 || to < from) throw new Error(`wrangler.toml has no lines from "${begin}" to "${end}"`)
  const others = [...lines.slice(0, from), ...lines.slice(to)]
  // There may be one such table only.
  const hasVariables = others.some((line) => line.trim() === '[vars]')
  let isLeft = false
  const block = lines.slice(from, to).map((line) => {
    const table = /^(?:# )?(\[.*)/.exec(line)?.[1]
    if (table) isLeft = (table === '[vars]' && hasVariables) || (table.startsWith('[[queues.') && !bindings.queue)
    const said = isLeft ? line : line.replace(/^# /, '')
    return said.startsWith('database_id') ? `database_id = "${bindings.database}"` : said
  })
  const whole = [...lines.slice(0, from), ...block, ...lines.slice(to)]
  const isSet = whole.some((line) => line.trim().startsWith('SAMEWIRE_STATE'))
  return whole.flatMap((line) => (!isSet && line.trim() === '[vars]' ? [line, variable] : [line])).join('\n')
}

async function wrangler(...given: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('wrangler', given)
  return stdout
}

/** The id of the database, which is made if it isn't there. */
async function databaseId(): Promise<string> {
  const find = async () => {
    const all = JSON.parse(await wrangler('d1', 'list', '--json')) as { readonly uuid: string; readonly name: string }[]
    return all.find(({ name }) => name === database)?.uuid
  }
  const known = await find()
  if (known !== undefined) return known
  await wrangler('d1', 'create', database)
  const made = await find()
  if (made === undefined) throw new Error(`D1 has no database ${database}, although it was made a moment ago`)
  return made
}

/** Whether there is a queue: not every account may have one. */
async function hasQueue(): Promise<boolean> {
  try {
    await wrangler('queues', 'create', queue)
    return true
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { readonly stdout?: string; readonly stderr?: string }
    if (/already (taken|exists)|11009/i.test(stdout + stderr)) return true
    console.log(`No queue ${queue}, so each request writes its own row: ${(stderr || stdout).trim()}`)
    return false
  }
}

async function deployState(): Promise<void> {
  const toml = await readFile('wrangler.toml', 'utf8')
  const bindings = { database: await databaseId(), queue: await hasQueue() }
  await writeFile('wrangler.toml', withState(toml, bindings))
  console.log(`wrangler.toml binds the database ${database} (${bindings.database}) and the objects of the keys.`)
  console.log(await wrangler('deploy'))
  console.log('Keys are managed with a key of their own: npx wrangler secret put SAMEWIRE_ADMIN_KEY')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await deployState().catch((error: Error & { readonly stderr?: string }) => {
    console.error(error.stderr || error.message)
    process.exitCode = 1
  })
}
