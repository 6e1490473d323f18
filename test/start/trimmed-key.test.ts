import { expect, it } from 'vitest'
import { launch } from '../support/program.ts'

it.each(['1', '2'])(
  'A key with a line break at its end opens the gateway, and the log says so once, with %s workers',
  async (workers) => {
    const program = launch(['--workers', workers], { SAMEWIRE_KEY: 'our-key\n' })
    const [, url] = await program.until(/listens on (\S+)/)
    await program.until(/curl/)
    const response = await fetch(`${url}/models`, { headers: { authorization: 'Bearer our-key' } })
    expect(response.status).toBe(200)
    program.signal('SIGTERM')
    await program.ended
    expect(program.printed().match(/SAMEWIRE_KEY ends in a line break, which is left out/g)).toHaveLength(1)
    expect(program.printed()).not.toContain('our-key')
  },
)
