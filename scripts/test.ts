import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'

/**
 * `npm test`: types and style are checked beside the tests, most of which wait. What the checks say comes after all that
 * the tests say. Fails if either fails. Arguments are those of `vitest run`.
 */
const check = spawn('npm', ['run', '-s', 'check'], { stdio: ['ignore', 'pipe', 'pipe'] })
const checked = Promise.all([once(check, 'close'), text(check.stdout), text(check.stderr)])
const args = ['run', '--config', 'test/vitest.config.ts', ...process.argv.slice(2)]
const [tests] = await once(spawn('vitest', args, { stdio: 'inherit' }), 'close')
const [[checks], ...said] = await checked
process.stdout.write(said.join(''))
if (checks !== 0) process.stdout.write('\n`npm run check` fails.\n')
process.exitCode = tests === 0 && checks === 0 ? 0 : 1
