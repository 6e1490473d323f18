import type { Command, Completed } from '../command.ts'
import { listModels, type Option, optionsOf, optionsWithout, quoted } from './syntax.ts'

/** A script for fish. */
export function fish(commands: readonly Command[]): string {
  const alone = '__fish_use_subcommand'
  const lines = [
    ...commands.map(({ name, summary }) => `-n ${alone} -a ${name} -d ${quoted(summary)}`),
    ...optionsWithout(commands).map((option) => `-n ${alone} ${optionText(option)}`),
    ...commands.flatMap(linesOf),
  ]
  return ['# fish completion for samewire', ...['-f', ...lines].map((line) => `complete -c samewire ${line}`), ''].join(
    '\n',
  )
}

function linesOf(command: Command): string[] {
  const seen = `-n '__fish_seen_subcommand_from ${command.name}'`
  const words = (command.arguments ?? []).flatMap(({ values }) => (values === undefined ? [] : [values]))
  return [
    ...optionsOf(command).map((option) => `${seen} ${optionText(option)}`),
    ...words.map((values) => `${seen} ${valuesText(values)}`),
  ]
}

function optionText({ long, short, value, text, completed }: Option): string {
  const names = `${short ? `-s ${short.slice(1)} ` : ''}-l ${long.slice(2)}`
  const values = value === undefined ? '' : completed ? ` -r ${valuesText(completed)}` : ' -x'
  return `${names}${values} -d ${quoted(text)}`
}

function valuesText(values: Completed): string {
  return values === 'file' ? '-F' : `-a ${quoted(values === 'model' ? `(${listModels})` : values.join(' '))}`
}
