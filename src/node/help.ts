import { readFile } from 'node:fs/promises'
import { endings } from '../config/load.ts'
import { usage } from './arguments.ts'

/** What `--help` prints. */
export const help = `Usage: ${usage}

  explain        Prints what would be done with the request on the standard input, and asks no provider.
                   npm start -- explain --config samewire.yaml < request.json
  --config FILE  The configuration: ${endings.join(', ')}.
                   Without it, samewire.config.ts.
                   npm start -- --config samewire.yaml
  --port N       Where it listens, from 0 (any that is free) to 65535. Without it, PORT or 8787.
                   npm start -- --port 8080
  --host H       The address that it listens on. One that others can reach needs a key. Without it, HOST or 127.0.0.1.
                   SAMEWIRE_KEY=choose-one npm start -- --host 0.0.0.0
  --workers N    Processes that answer, from 1 to 256, or auto: one a core. Without it, SAMEWIRE_WORKERS or 1.
                   npm start -- --workers auto
  --grace SECONDS
                 How long running answers may go on when it is stopped, from 0 to 3600. Without it, SAMEWIRE_GRACE or 10.
                   npm start -- --grace 60
  --help, -h     Prints this.
                   npm start -- --help
  --version, -v  Prints the version.
                   npm start -- --version
`

/** What `--version` prints: the version in package.json. */
export async function readVersion(): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'))
  return String(Reflect.get(Object(manifest), 'version'))
}
