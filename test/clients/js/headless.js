import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Milliseconds for one turn, after which it counts as hung: opencode may ask five times again, for 75 seconds. */
const patience = 120_000
/** Its prompts are longer than the embedded model can read. */
const model = 'gpt-4-agent'
const only = 'is a program, not a library'

/**
 * An agent as scripts run it. `turn` gets an ask with a `home` and an empty folder to `work` in, both its own, and
 * returns what the agent says in the end, or throws what it tells of a failure.
 */
export const agentOf = (turn) => {
  const ask = (asked) => inFolders((folders) => turn({ ...asked, ...folders }))
  return {
    chat: (asked) => ask({ ...asked, model }),
    loop: (asked) => ask({ ...asked, model }),
    missing: ask,
    broken: ask,
    cannot: {
      stream: only,
      tools: only,
      functions: only,
      schema: only,
      embeddings: only,
      generate: only,
      count: only,
      models: only,
      show: only,
      error: 'tells in its own words that a prompt is too long',
    },
    told: ({ message }) => ({ message, bare: true }),
  }
}

/** Runs a program without input until it ends. Throws if it doesn't. */
export const outputOf = ([command, ...args], { env, home, work }) =>
  new Promise((resolve, reject) => {
    const settings = { env: { PATH: process.env.PATH, HOME: home, ...env }, cwd: work, timeout: patience }
    const child = execFile(command, args, settings, (error, stdout, stderr) =>
      error?.killed ? reject(new Error(`it hangs: ${stdout}${stderr}`)) : resolve({ stdout, stderr }),
    )
    child.stdin.end()
  })

/** The objects among the lines of an output. */
export const objectsIn = (text) => text.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []))

async function inFolders(use) {
  const folder = await mkdtemp(join(tmpdir(), 'agent-'))
  const [home, work] = ['home', 'work'].map((name) => join(folder, name))
  try {
    await Promise.all([home, work].map((path) => mkdir(path)))
    return await use({ home, work })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
