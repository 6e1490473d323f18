import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { agentOf, outputOf } from './headless.js'

const path = '../gemini-cli/node_modules/@google/gemini-cli/bundle/gemini.js'
const command = fileURLToPath(new URL(path, import.meta.url))

/** The Gemini CLI: it speaks Gemini's API only. */
export const program = ({ origin, apiKey }) =>
  agentOf(async ({ model, prompt, home, work }) => {
    await mkdir(join(home, '.gemini'))
    await writeFile(join(home, '.gemini/settings.json'), JSON.stringify(settings))
    const args = ['--skip-trust', '--yolo', '--output-format', 'json', '--model', model, '--prompt', prompt]
    // It writes its reports of failures to the folder for temporary files.
    const env = { GOOGLE_GEMINI_BASE_URL: origin, GEMINI_API_KEY: apiKey, TMPDIR: home }
    const { stdout, stderr } = await outputOf([process.execPath, command, ...args], { env, home, work })
    if (!stdout.startsWith('{')) throw new Error(stderr || stdout)
    const { response, error } = JSON.parse(stdout)
    if (error) throw new Error(error.message)
    return response
  })

const settings = {
  security: { auth: { selectedType: 'gemini-api-key' } },
  general: { enableAutoUpdate: false, retryFetchErrors: false },
  privacy: { usageStatisticsEnabled: false },
}
