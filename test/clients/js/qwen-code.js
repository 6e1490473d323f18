import { fileURLToPath } from 'node:url'
import { agentOf, outputOf } from './headless.js'

const path = '../qwen-code/node_modules/@qwen-code/qwen-code/cli-entry.js'
const command = fileURLToPath(new URL(path, import.meta.url))

/** Qwen Code: it speaks chat completions, by OpenAI's client. */
export const program = ({ baseURL, apiKey }) =>
  agentOf(async ({ model, prompt, home, work }) => {
    const args = ['--auth-type', 'openai', '--yolo', '--output-format', 'json', prompt]
    const env = { OPENAI_BASE_URL: baseURL, OPENAI_API_KEY: apiKey, OPENAI_MODEL: model, QWEN_HOME: home }
    const { stdout, stderr } = await outputOf([process.execPath, command, ...args], { env, home, work })
    if (!stdout.startsWith('[')) throw new Error(stderr || stdout)
    const { is_error, error, result } = JSON.parse(stdout).find(({ type }) => type === 'result')
    if (is_error) throw new Error(error.message)
    return result
  })
