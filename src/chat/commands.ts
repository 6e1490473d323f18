import type OpenAI from 'openai'
import type { Session } from './session.ts'

type Command = (rest: string, session: Session, client: OpenAI) => Promise<string> | string

const commands: Readonly<Record<string, Command>> = {
  '/model': (name, session) => {
    if (name !== '') session.model = name
    return `The model is ${session.model ?? 'the first one that the gateway lists'}.`
  },
  '/models': async (_rest, session, client) => {
    const { data } = await client.models.list()
    const lines = data.map(({ id }) => `${id === session.model ? '*' : ' '} ${id}`)
    return lines.length > 0 ? lines.join('\n') : 'The gateway lists no models.'
  },
  '/system': (text, session) => {
    session.system = text === '' ? undefined : text
    return text === '' ? 'There is no system message now.' : 'The system message is set.'
  },
  '/reset': (_rest, session) => {
    session.messages = []
    return 'The conversation starts anew.'
  },
  '/exit': () => 'exit',
}

export const help =
  '/model NAME switches, /models lists, /system TEXT instructs, /reset forgets, /exit or Ctrl-D leaves.'

/** The output of a command, or `exit`. Rejects when the gateway doesn't answer. */
export async function runCommand(line: string, session: Session, client: OpenAI): Promise<string> {
  const [, name = '', rest = ''] = /^(\S+)\s*(.*)$/s.exec(line) ?? []
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  return command ? await command(rest, session, client) : `There is no ${name}. ${help}`
}
