import { execFile, spawnSync } from 'node:child_process'
import { chmod } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { folderOf, samewire } from '../support/cli.ts'

const has = (shell: string) => spawnSync(shell, ['-c', 'true']).status === 0

const scripts = Object.fromEntries(
  await Promise.all(
    ['bash', 'zsh', 'fish'].map(async (shell) => [shell, (await samewire(`completion ${shell}`)).output]),
  ),
)

/** Has the names of models, of which one would be run by a shell that takes it for more, and a file. */
const folder = await folderOf({
  ...scripts,
  samewire:
    '#!/bin/sh\n[ "$*" = "models --quiet" ] && printf "%s\\n" gpt-4o llama3:8b llama3:70b \'$(touch ran)\' \'a b\'\n',
  'samewire.yaml': '{}',
  session: `autoload -Uz compinit; compinit -D -u; source ./zsh
show() { print -r -- "<\${BUFFER% }>"; }
zle -N show; bindkey '^X' show
`,
})
await chmod(join(folder, 'samewire'), 0o755)

async function shell(program: string, args: readonly string[]): Promise<string[]> {
  const env = { PATH: `${folder}${delimiter}${process.env.PATH}`, HOME: folder, TERM: 'dumb' }
  const { stdout } = await promisify(execFile)(program, args, { cwd: folder, env })
  return stdout.split('\n').filter((line) => line !== '')
}

describe('bash', () => {
  const complete = (line: string) =>
    shell('bash', [
      ...['--norc', '-c'],
      `source ./bash
COMP_LINE="$1" COMP_POINT=\${#1} COMP_CWORD=$3
eval "COMP_WORDS=($2)"
_samewire; printf '%s\\n' "\${COMPREPLY[@]}"`,
      'bash',
      line,
      // As bash splits a line: colons and equals signs are words.
      ...((words: readonly string[]) => [words.map((word) => `'${word}'`).join(' '), String(words.length - 1)])(
        line.split(/ |([:=])/).filter((word, at, all) => word !== undefined && (word || all[at - 1] !== ':')),
      ),
    ])

  it.each([
    ['samewire mo', ['models']],
    ['samewire --po', ['--port']],
    ['samewire models --j', ['--json']],
    ['samewire chat --model g', ['gpt-4o']],
    ['samewire chat gp', ['gpt-4o']],
    ['samewire chat l', ['llama3:8b', 'llama3:70b']],
    ['samewire chat llama3:7', ['70b']],
    ['samewire chat llama3:', ['8b', '70b']],
    ['samewire chat ', ['gpt-4o', 'llama3:8b', 'llama3:70b']],
    ['samewire completion z', ['zsh']],
    ['samewire import litellm x --format j', ['json']],
    ['samewire check sam', []],
    ['samewire models --url http', []],
  ])('completes %j', async (line, expected) => {
    expect(await complete(line)).toEqual(expected)
  })
})

describe.skipIf(!has('fish'))('fish', () => {
  const complete = async (line: string) =>
    (await shell('fish', ['--no-config', '-c', `source ./fish; complete -C "${line}"`])).map(
      (entry) => entry.split('\t')[0],
    )

  it.each([
    ['samewire mo', ['models']],
    ['samewire --po', ['--port']],
    ['samewire models --j', ['--json']],
    ['samewire chat gp', ['gpt-4o']],
    ['samewire completion z', ['zsh']],
    ['samewire check samewire.', ['samewire.yaml']],
  ])('completes %j', async (line, expected) => {
    expect(await complete(line)).toEqual(expected)
  })
})

describe.skipIf(!has('zsh'))('zsh', () => {
  /** The line after a tab, as a key that is typed behind it shows it. */
  const complete = (line: string) =>
    shell('zsh', [
      ...['-f', '-c'],
      `zmodload zsh/zpty
zpty session zsh -f
zpty -w session 'source ./session'
zpty -w -n session "$1"$'\\t\\C-x'
zpty -r session shown '*<*>*'
print -r -- \${\${shown##*<}%%>*}`,
      'zsh',
      line,
    ])

  it.each([
    ['samewire mo', 'samewire models'],
    ['samewire models --j', 'samewire models --json'],
    ['samewire chat gp', 'samewire chat gpt-4o'],
    ['samewire completion z', 'samewire completion zsh'],
  ])('completes %j', async (line, expected) => {
    expect(await complete(line)).toEqual([expected])
  })
})
