import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { agentOf, objectsIn, outputOf } from './headless.js'

const installed = fileURLToPath(new URL('../opencode/node_modules/', import.meta.url))
// What its script would link at the installation: the first is for processors of any age.
const platform = `opencode-${process.platform}-${process.arch}`
const command = [`${platform}-baseline`, platform].map((name) => `${installed}${name}/bin/opencode`).find(existsSync)

/** opencode: it speaks chat completions, by the AI SDK. */
export const program = ({ baseURL, apiKey }) =>
  agentOf(async ({ model, prompt, home, work }) => {
    await writeFile(join(work, 'opencode.json'), JSON.stringify(configOf(model, baseURL, apiKey)))
    const args = ['run', '--format', 'json', '--auto', '--model', `samewire/${model}`, prompt]
    const env = { OPENCODE_DISABLE_MODELS_FETCH: '1', OPENCODE_DISABLE_AUTOUPDATE: '1' }
    const { stdout, stderr } = await outputOf([command, ...args], { env, home, work })
    const events = objectsIn(stdout)
    const failed = events.find(({ type }) => type === 'error')
    if (failed) throw new Error(failed.error.data?.message ?? failed.error.name)
    const said = events.filter(({ type }) => type === 'text').map(({ part }) => part.text)
    if (said.length === 0) throw new Error(stderr || stdout)
    return said.join('\n')
  })

const configOf = (model, baseURL, apiKey) => ({
  provider: {
    samewire: {
      npm: '@ai-sdk/openai-compatible',
      options: { baseURL, apiKey },
      models: { [model]: { limit: { context: 128_000, output: 32_000 } } },
    },
  },
  autoupdate: false,
  share: 'disabled',
})
