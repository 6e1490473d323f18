import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const command = fileURLToPath(new URL('../codex/node_modules/@openai/codex/bin/codex.js', import.meta.url))
/** Milliseconds for one turn, after which it counts as hung. */
const patience = 60_000
/** Its first prompt is longer than the embedded model can read. */
const model = 'gpt-4-agent'

/** The Codex CLI, as scripts run it: it speaks responses only. */
export function program({ baseURL, apiKey }) {
  const turn = (ask) => inFolder((folder) => run({ ...ask, folder, baseURL, apiKey }))
  const only = 'is a program, not a library'
  return {
    chat: (ask) => turn({ ...ask, model }),
    loop: (ask) => turn({ ...ask, model }),
    missing: turn,
    broken: turn,
    cannot: {
      stream: only,
      tools: only,
      functions: only,
      schema: only,
      embeddings: only,
      error: 'tells in its own words that a prompt is too long',
    },
    told: ({ message }) => ({ message, bare: true }),
  }
}

async function inFolder(use) {
  const folder = await mkdtemp(join(tmpdir(), 'codex-'))
  try {
    return await use(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function run({ model, prompt, folder, baseURL, apiKey }) {
  const home = join(folder, 'home')
  const work = join(folder, 'work')
  await Promise.all([home, work].map((path) => mkdir(path)))
  await writeFile(join(home, 'config.toml'), configOf(model, baseURL))
  const args = [
    'exec',
    '--json',
    '--skip-git-repo-check',
    '--ephemeral',
    '--sandbox',
    'read-only',
    '--cd',
    work,
    prompt,
  ]
  const env = { PATH: process.env.PATH, HOME: home, CODEX_HOME: home, SAMEWIRE_KEY: apiKey }
  const printed = await new Promise((resolve, reject) => {
    const child = execFile(process.execPath, [command, ...args], { env, timeout: patience }, (error, stdout) =>
      error?.killed ? reject(new Error(`it hangs: ${stdout}`)) : resolve(stdout),
    )
    child.stdin.end()
  })
  const events = printed.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []))
  const failed = events.find(({ type }) => type === 'turn.failed')
  if (failed) throw new Error(failed.error.message)
  const said = events.filter(({ type, item }) => type === 'item.completed' && item.type === 'agent_message')
  return said.map(({ item }) => item.text).join('\n')
}

const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8')
const [, snippet = ''] = /```toml run: codex\n([\s\S]*?)```/.exec(readme) ?? []

/** As the README says, and without the retries that would take long. */
const configOf = (model, baseURL) =>
  snippet.replace(/^model = .*/m, `model = "${model}"`).replace(/^base_url = .*/m, `base_url = "${baseURL}"`) +
  'request_max_retries = 0\nstream_max_retries = 1\n'
