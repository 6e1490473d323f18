import type { Command, Completed, Described } from '../command.ts'
import { listModels, type Option, optionsOf, optionsWithout, quoted } from './syntax.ts'

/** A script for zsh, after `compinit`. */
export function zsh(commands: readonly Command[]): string {
  const described = commands.map(({ name, summary }) => `    ${quoted(`${name}:${summary}`)}`)
  const cases = commands.map((command) => `    ${command.name}) _arguments${specsOf(command)} ;;`)
  const alone = optionsWithout(commands).flatMap(optionSpecs)
  return `#compdef samewire
_samewire_models() {
  local -a models
  models=(\${(f)"$(${listModels})"})
  compadd -a models
}
_samewire() {
  local -a commands
  commands=(
${described.join('\n')}
  )
  local command=\${words[2]}
  if (( CURRENT == 2 )) && [[ $command != -* ]]; then
    _describe command commands
    return
  fi
  if [[ $command == -* ]]; then
    _arguments${lines(alone)}
    return
  fi
  shift words
  (( CURRENT-- ))
  case $command in
${cases.join('\n')}
  esac
}
compdef _samewire samewire
`
}

const lines = (specs: readonly string[]) => specs.map((spec) => ` \\\n      ${spec}`).join('')

function specsOf(command: Command): string {
  return lines([...optionsOf(command).flatMap(optionSpecs), ...(command.arguments ?? []).map(argumentSpec)])
}

function optionSpecs({ long, short, value, text, completed }: Option): string[] {
  const names = short ? [short, long] : [long]
  const behind = value === undefined ? '' : `:${value}:${actionOf(completed)}`
  return names.map((name) => quoted(`(${names.join(' ')})${name}[${escaped(text)}]${behind}`))
}

function argumentSpec({ syntax, values }: Described, index: number): string {
  return quoted(`${index + 1}:${syntax.replace(/[<>[\]]/g, '')}:${actionOf(values)}`)
}

function actionOf(values: Completed | undefined): string {
  if (values === undefined) return ' '
  return values === 'file' ? '_files' : values === 'model' ? '_samewire_models' : `(${values.join(' ')})`
}

const escaped = (text: string) => text.replace(/[[\]:\\]/g, '\\$&')
