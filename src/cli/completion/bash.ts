import type { Command, Completed } from '../command.ts'
import { listModels, type Option, optionsOf, optionsWithout } from './syntax.ts'

/**
 * A script for bash 3.2 and newer. It takes the words from the line itself, since bash splits them at the colons that
 * names of models have; and it offers no name that the shell would take for more than a name. Where it offers nothing,
 * bash completes files.
 */
export function bash(commands: readonly Command[]): string {
  const names = commands.map(({ name }) => name)
  const alone = [...names, ...optionsWithout(commands).map(({ long }) => long)]
  const cases = [`      '') offered=${lines(alone)} ;;`, ...commands.map(caseOf)]
  const values = [
    ...valuesOf('', optionsWithout(commands)),
    ...commands.flatMap((command) => valuesOf(command.name, optionsOf(command))),
  ]
  return `# bash completion for samewire
_samewire_models() { ${listModels}; }
_samewire() {
  local line="\${COMP_LINE:0:COMP_POINT}" command='' offered='' word at
  local -a words
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  local last=$((\${#words[@]} - 1))
  local current="\${words[last]}" part="\${COMP_WORDS[COMP_CWORD]}"
  for ((at = 1; at < last; at++)); do
    case "\${words[at]}" in ${names.join('|')}) command="\${words[at]}"; break ;; esac
  done
  case "$command \${words[last - 1]}" in
${values.join('\n')}
    *) case "$command" in
${cases.join('\n')}
    esac ;;
  esac
  [[ $part == [:=] ]] && part=''
  COMPREPLY=()
  local before="\${current%"$part"}" safe='^[A-Za-z0-9._/:@+-]+$'
  while IFS= read -r word; do
    [[ $word == "$current"* && $word =~ $safe ]] && COMPREPLY+=("\${word#"$before"}")
  done <<< "$offered"
}
complete -o default -F _samewire samewire
`
}

function caseOf(command: Command): string {
  const options = optionsOf(command).map(({ long }) => long)
  const words = (command.arguments ?? []).flatMap(({ values }) => (values === undefined ? [] : [textOf(values)]))
  return `      ${command.name}) if [[ $current == -* ]]; then offered=${lines(options)}; else offered=${words[0] ?? "''"}; fi ;;`
}

/** What is offered where a value is due. */
function valuesOf(command: string, options: readonly Option[]): string[] {
  return options
    .filter(({ value }) => value !== undefined)
    .map(({ long, completed }) => `    '${command} ${long}') offered=${textOf(completed ?? 'file')} ;;`)
}

/** Files are what bash offers by itself. */
function textOf(values: Completed): string {
  return values === 'file' ? "''" : values === 'model' ? '"$(_samewire_models)"' : lines(values)
}

/** As one word of bash. */
const lines = (words: readonly string[]) => `$'${words.join('\\n')}'`
