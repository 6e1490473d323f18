import { readFile } from 'node:fs/promises'
import type { Command } from './command.ts'

export const schema: Command = {
  name: 'schema',
  summary: 'Prints the JSON schema of configurations, for editors.',
  description: 'An editor that knows it completes the settings, explains them, and marks what is wrong.',
  arguments: [],
  options: [],
  examples: ['samewire schema > samewire.schema.json'],
  async run(_, { output }) {
    output.write(await readFile(new URL('../../samewire.schema.json', import.meta.url), 'utf8'))
    return 0
  },
}
