import type { Command } from './command.ts'
import { bash } from './completion/bash.ts'
import { fish } from './completion/fish.ts'
import { zsh } from './completion/zsh.ts'

const shells: Readonly<Record<string, (commands: readonly Command[]) => string>> = { bash, zsh, fish }

/** `commands` are all that it completes, itself included. */
export const completion = (commands: () => readonly Command[]): Command => ({
  name: 'completion',
  summary: 'Prints what has a shell complete commands, options, files and models.',
  arguments: [{ syntax: '<shell>', text: 'The shell that is to read it.', values: Object.keys(shells) }],
  examples: [
    'source <(samewire completion bash)              # in ~/.bashrc',
    'source <(samewire completion zsh)               # in ~/.zshrc, after compinit',
    'samewire completion fish | source               # in ~/.config/fish/config.fish',
  ],
  async run({ words: [shell = ''] }, { output }) {
    output.write(shells[shell]?.(commands()) ?? '')
    return 0
  },
})
