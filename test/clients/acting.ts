import { chatAnswer, chatFrames, chunk, json, type Script, stream } from '../support/upstream.ts'

interface Chat {
  readonly messages: readonly { readonly role: string; readonly content: unknown }[]
  readonly tools?: readonly { readonly function?: { readonly name: string } }[]
  readonly stream?: boolean
}

const command = 'echo sunny'
/** How each agent names its shell, and what that has to be told. */
const shells: Readonly<Record<string, object>> = {
  exec_command: { cmd: command },
  Bash: { command, description: 'Asks for the weather' },
  bash: { command, description: 'Asks for the weather' },
  run_shell_command: { command, description: 'Asks for the weather' },
}

/** An agent's model: it runs a command if it is asked for the weather, and says what came of it. */
export const acts: Script = (request, ...rest) => {
  const chat = JSON.parse(request.body) as Chat
  const last = chat.messages.findLast(({ role }) => role === 'user' || role === 'tool')
  const shell = chat.tools?.map((tool) => tool.function?.name ?? '').find((name) => name in shells)
  const said = textOf(last?.content)
  const script =
    last?.role === 'tool'
      ? says(chat, 'It says: ', said)
      : shell && said.includes('weather')
        ? calls(chat, shell)
        : says(chat, 'Hello! ', 'How can I help you?')
  return script(request, ...rest)
}

function says({ stream: streamed }: Chat, ...words: string[]): Script {
  return streamed ? stream(chatFrames(...words)) : json(200, chatAnswer(words.join('')))
}

function calls({ stream: streamed }: Chat, name: string): Script {
  const call = { id: 'call_1', type: 'function', function: { name, arguments: JSON.stringify(shells[name]) } }
  const delta = { role: 'assistant', content: null, tool_calls: [{ index: 0, ...call }] }
  if (streamed) return stream([chunk(delta), chunk({}, 'tool_calls'), 'data: [DONE]\n\n'])
  const message = { role: 'assistant', content: null, refusal: null, tool_calls: [call] }
  return json(200, { ...chatAnswer(''), choices: [{ index: 0, message, logprobs: null, finish_reason: 'tool_calls' }] })
}

/** A message's content, which some agents send in parts. */
function textOf(content: unknown): string {
  const parts = Array.isArray(content) ? (content as readonly { readonly text?: string }[]) : []
  return typeof content === 'string' ? content : parts.map(({ text = '' }) => text).join('')
}
