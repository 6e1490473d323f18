import { configFile, launch } from '../support/program.ts'
import { chatFrames, chunk, fakeUpstream, type Script, stream } from '../support/upstream.ts'

export interface Served {
  readonly baseURL: string
  close(): Promise<void>
}

/**
 * The gateway as `npm start` runs it. The embedded model answers to names of OpenAI's, since some clients know what
 * those can do. Behind two more is a server: a stream of the one breaks off in the middle; the other is an agent's model.
 */
export async function serve(): Promise<Served> {
  const upstream = await fakeUpstream((request, ...rest) =>
    /"model":\s*"broken"/.test(request.body) ? breaks(request, ...rest) : acts(request, ...rest),
  )
  const config = await configFile({
    providers: {
      demo: { type: 'embedded' },
      up: { type: 'openai-compatible', baseURL: `${upstream.url}/v1` },
    },
    models: {
      'gpt-4o': 'demo/tiny-chat',
      'text-embedding-3-small': 'demo/tiny-chat',
      'gpt-4-broken': 'up/broken',
      'gpt-4-agent': 'up/agent',
    },
    retries: 0,
    cooldown: false,
  })
  const gateway = launch(['--config', config.path])
  const [, baseURL = ''] = await gateway.until(/listens on (\S+)/)
  return {
    baseURL,
    async close() {
      gateway.signal('SIGTERM')
      await gateway.ended
      await Promise.all([upstream.close(), config.remove()])
    },
  }
}

const breaks = stream(chatFrames('Hel', 'lo').slice(0, 2), 'reset')

interface Chat {
  readonly messages: readonly { readonly role: string; readonly content: unknown }[]
}

/** Runs a command if it is asked for the weather, and says what came of it. */
const acts: Script = (request, ...rest) => {
  const { messages } = JSON.parse(request.body) as Chat
  const { role, content } = messages.at(-1) ?? {}
  const called = { name: 'exec_command', arguments: JSON.stringify({ cmd: 'echo sunny' }) }
  const call = { index: 0, id: 'call_1', type: 'function', function: called }
  const frames =
    role === 'tool'
      ? chatFrames('It says: ', String(content))
      : JSON.stringify(content).includes('weather')
        ? [chunk({ role: 'assistant', tool_calls: [call] }), chunk({}, 'tool_calls'), 'data: [DONE]\n\n']
        : chatFrames('Hello! ', 'How can I help you?')
  return stream(frames)(request, ...rest)
}
