import { fileURLToPath } from 'node:url'
import { agentOf, outputOf } from './headless.js'

const path = '../claude-code/node_modules/@anthropic-ai/claude-code/cli-wrapper.cjs'
const command = fileURLToPath(new URL(path, import.meta.url))

/** Claude Code: it speaks Anthropic's Messages only. */
export const program = ({ origin, apiKey }) =>
  agentOf(async ({ model, prompt, home, work }) => {
    const args = ['--print', '--output-format', 'json', '--model', model, '--allowed-tools', 'Bash', '--', prompt]
    const env = {
      ANTHROPIC_BASE_URL: origin,
      ANTHROPIC_AUTH_TOKEN: apiKey,
      CLAUDE_CONFIG_DIR: home,
      CLAUDE_CODE_MAX_RETRIES: '1',
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    }
    const { stdout, stderr } = await outputOf([process.execPath, command, ...args], { env, home, work })
    if (!stdout.startsWith('{')) throw new Error(stdout || stderr)
    const { is_error, result } = JSON.parse(stdout)
    if (is_error) throw new Error(result)
    return result
  })
