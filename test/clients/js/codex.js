import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { agentOf, objectsIn, outputOf } from './headless.js'

const command = fileURLToPath(new URL('../codex/node_modules/@openai/codex/bin/codex.js', import.meta.url))
const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8')
const [, snippet = ''] = /```toml run: codex\n([\s\S]*?)```/.exec(readme) ?? []

/** The Codex CLI: it speaks responses only. */
export const program = ({ baseURL, apiKey }) =>
  agentOf(async ({ model, prompt, home, work }) => {
    await writeFile(join(home, 'config.toml'), configOf(model, baseURL))
    const args = ['exec', '--json', '--skip-git-repo-check', '--ephemeral', '--sandbox', 'read-only']
    const env = { CODEX_HOME: home, SAMEWIRE_KEY: apiKey }
    const { stdout } = await outputOf([process.execPath, command, ...args, prompt], { env, home, work })
    const events = objectsIn(stdout)
    const failed = events.find(({ type }) => type === 'turn.failed')
    if (failed) throw new Error(failed.error.message)
    const said = events.filter(({ type, item }) => type === 'item.completed' && item.type === 'agent_message')
    return said.map(({ item }) => item.text).join('\n')
  })

/** As the README says, and without the retries that would take long. */
const configOf = (model, baseURL) =>
  snippet.replace(/^model = .*/m, `model = "${model}"`).replace(/^base_url = .*/m, `base_url = "${baseURL}"`) +
  'request_max_retries = 0\nstream_max_retries = 1\n'
