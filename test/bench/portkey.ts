import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'

const folder = 'test/bench/portkey'
const program = `${folder}/node_modules/@portkey-ai/gateway/build/start-server.js`

export const portkeyInstalled = () => existsSync(program)

/** Installs P if it isn't installed yet, so that only users who want it download it. */
export async function installPortkey(): Promise<void> {
  if (portkeyInstalled()) return
  console.log('P is being installed')
  // Its `postinstall` would patch dependencies that the installed package doesn't patch.
  await promisify(execFile)('npm', ['ci', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund'])
}

/** The command and environment to start P on a port, and the headers that route its clients to the upstream. */
export function portkey(port: number, upstream: string) {
  return {
    command: [process.execPath, program, '--headless', `--port=${port}`],
    env: { TRUSTED_CUSTOM_HOSTS: '127.0.0.1,localhost' },
    headers: { 'x-portkey-provider': 'openai', 'x-portkey-custom-host': `${upstream}/v1` },
  }
}
