import { configFile, launch } from '../support/program.ts'
import { chatFrames, fakeUpstream, stream } from '../support/upstream.ts'

export interface Served {
  readonly baseURL: string
  close(): Promise<void>
}

/**
 * The gateway as `npm start` runs it. The embedded model answers to names of OpenAI's, since some clients know what
 * those can do; the upstream of one more breaks off in the middle of its stream.
 */
export async function serve(): Promise<Served> {
  const upstream = await fakeUpstream(stream(chatFrames('Hel', 'lo').slice(0, 2), 'reset'))
  const config = await configFile({
    providers: {
      demo: { type: 'embedded' },
      up: { type: 'openai-compatible', baseURL: `${upstream.url}/v1` },
    },
    models: {
      'gpt-4o': 'demo/tiny-chat',
      'text-embedding-3-small': 'demo/tiny-chat',
      'gpt-4-broken': 'up/broken',
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
