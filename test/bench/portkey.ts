import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'

const folder = 'test/bench/portkey'
const program = `${folder}/node_modules/@portkey-ai/gateway/build/start-server.js`

export const portkeyInstalled = () => existsSync(program)

/** Installs P where it isn't yet: only who asks for it downloads it. */
export async function installPortkey(): Promise<void> {
  if (portkeyInstalled()) return
  console.log('P is being installed')
  // Its `postinstall` would patch dependencies that the package doesn't patch.
  await promisify(execFile)('npm', ['ci', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund'])
}

/** How P is started on a port, with what in its environment, and what its clients say to be led to the upstream. */
export function portkey(port: number, upstream: string) {
  return {
    command: [process.execPath, program, '--headless', `--port=${port}`],
    env: { TRUSTED_CUSTOM_HOSTS: '127.0.0.1,localhost' },
    headers: { 'x-portkey-provider': 'openai', 'x-portkey-custom-host': `${upstream}/v1` },
  }
}
