import { configFile, launch } from '../support/program.ts'
import { chatFrames, fakeUpstream, stream } from '../support/upstream.ts'
import { acts } from './acting.ts'

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
