import { usualNames } from '../node/configuration.ts'
import type { Command } from './command.ts'

export const start: Command = {
  name: 'start',
  summary: 'Starts the gateway; so does `samewire` alone.',
  description: `Without --config it takes the first of these in the working directory:\n${usualNames.join(', ')}.`,
  options: [
    {
      syntax: '--config <FILE>',
      text: 'The configuration: .ts, .mts, .js, .mjs, .json, .yaml, .yml. Without it, SAMEWIRE_CONFIG_FILE or a usual name.',
      values: 'file',
    },
    { syntax: '--port <N>', text: 'Where it listens, from 0 (any that is free) to 65535. Without it, PORT or 8787.' },
    {
      syntax: '--host <H>',
      text: 'The address that it listens on. One that others can reach needs a key. Without it, HOST or 127.0.0.1.',
    },
    {
      syntax: '--workers <N>',
      text: 'Processes that answer, from 1 to 256, or auto: one a core. Without it, SAMEWIRE_WORKERS or 1.',
    },
    {
      syntax: '--grace <SECONDS>',
      text: 'How long running answers may go on when it is stopped, from 0 to 3600. Without it, SAMEWIRE_GRACE or 10.',
    },
  ],
  examples: [
    'samewire',
    'samewire start --config samewire.yaml --port 8080',
    'SAMEWIRE_KEY=choose-one samewire start --host 0.0.0.0 --workers auto --grace 60',
  ],
  /** `src/node.js` starts the gateway without these commands, unless Node's own parser refuses an argument. */
  async run({ values }) {
    const { main } = await import('../node/main.ts')
    await main(Object.entries(values).map(([name, value]) => `--${name}=${value}`))
    return 0
  },
}
