import { PassThrough } from 'node:stream'
import OpenAI from 'openai'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { chatLoop } from '../../src/chat/loop.ts'
import { footnote, printable } from '../../src/chat/text.ts'
import { bareEnv, run } from '../readme/children.ts'
import { ManualClock, type RunningGateway, startGateway } from '../support/gateway.ts'
import { chatFrames, chunk, type FakeUpstream, fakeUpstream, json, type Script, stream } from '../support/upstream.ts'

const nowhere = 'http://127.0.0.1:1/v1'

let demo: RunningGateway
let upstream: FakeUpstream
let faked: RunningGateway

beforeAll(async () => {
  demo = await startGateway({ providers: { demo: { type: 'embedded' } }, fallback: 'demo/tiny-chat' })
  upstream = await fakeUpstream()
  faked = await startGateway({
    providers: { fake: { type: 'openai-compatible', baseURL: upstream.url } },
    models: { first: { deployments: ['fake/m'], retries: 1 } },
  })
})
afterAll(async () => {
  await Promise.all([demo.close(), faked.close(), upstream.close()])
})

/** Pipes a conversation through the program itself. */
function chat(lines: readonly string[], args: readonly string[], env: Record<string, string> = {}) {
  return run(
    process.execPath,
    ['src/node.js', 'chat', ...args],
    { ...bareEnv, ...env },
    lines.map((line) => `${line}\n`).join(''),
  )
}

/** The loop in this process, on streams that a test holds. */
function inProcess({ tty = false, ...more }: { tty?: boolean; signals?: NodeJS.EventEmitter; model?: string } = {}) {
  const input = Object.assign(new PassThrough(), { isTTY: tty, setRawMode: () => {} })
  const output = Object.assign(new PassThrough({ encoding: 'utf8' }), { isTTY: tty, columns: 200 })
  let text = ''
  let wake = () => {}
  output.on('data', (piece: string) => {
    text += piece
    wake()
  })
  const client = new OpenAI({ baseURL: faked.baseURL, apiKey: 'none', maxRetries: 0 })
  const clock = new ManualClock()
  const done = chatLoop({ client, clock, input, output, color: true, ...more })
  /** Resolves with all that was printed, once `part` is in it. */
  const until = async (part: string): Promise<string> => {
    while (!text.includes(part)) {
      await new Promise<void>((awake) => {
        wake = awake
      })
    }
    return text
  }
  return { input, until, done, clock, printed: () => text }
}

/** What the fake upstream was asked for chats, as JSON. */
function asked(): { messages: { role: string; content: string }[]; model: string }[] {
  return upstream.seen.filter(({ method }) => method === 'POST').map(({ body }) => JSON.parse(body))
}

const list = json(200, { object: 'list', data: [] })

/** Lists go their own way, so that a script counts answers alone. */
function script(...answers: Script[]): void {
  upstream.seen.length = 0
  const left = [...answers]
  upstream.script((request, ...rest) => (request.method === 'GET' ? list : (left.shift() ?? list))(request, ...rest))
}

test('a piped conversation of two turns is answered by the embedded model', async () => {
  const { stdout, stderr, code } = await chat(['hi', 'Who are you?'], ['--base-url', demo.baseURL])
  // Who answers is said to people, not to whoever reads the transcript.
  expect({ code, stderr }).toEqual({ code: 0, stderr: `demo/tiny-chat at ${demo.baseURL}\n` })
  expect(stdout).toMatch(/^You: hi\n/)
  expect(stdout.match(/^You: hi\nChatGPT: \S.*\n(?:.*\n)*?demo\/tiny-chat · first token after \d/m)).not.toBeNull()
  expect(stdout).toMatch(/^You: Who are you\?\nChatGPT: \S/m)
  expect(stdout).toMatch(/ tokens\/s · \d+ tokens$/m)
  expect(stdout).not.toContain('\x1b')
})

test('the address comes from SAMEWIRE_URL too, and a missing model is told', async () => {
  const { stdout } = await chat(['/model x/y', 'hi', '/exit', 'never read'], [], {
    SAMEWIRE_URL: demo.baseURL.replace('/v1', ''),
  })
  expect(stdout).toContain('The model is x/y.')
  expect(stdout).toContain('demo/tiny-chat · reason: model_not_found · ')
  expect(stdout).not.toContain('never read')
})

test('/models lists, /model asks, and an unknown command is told what there is', async () => {
  const { stdout } = await chat(['/models', '/model', '/wat now', '/constructor'], ['--base-url', demo.baseURL])
  expect(stdout).toContain('\n* demo/tiny-chat\n')
  expect(stdout).toContain('The model is demo/tiny-chat.')
  expect(stdout).toContain('There is no /wat. /model NAME switches')
  expect(stdout).toContain('There is no /constructor.')
})

test('without a gateway every turn says how to start it, the loop goes on, and the exit code is 1', async () => {
  const { stdout, code } = await chat(['hi', '/models', '/reset'], ['--base-url', nowhere])
  expect(code).toBe(1)
  expect(
    stdout.match(/Nobody answers at \S+: run `samewire`, or `npm start` in a clone, in another terminal\./g),
  ).toHaveLength(3)
  expect(stdout).toContain('The conversation starts anew.')
})

test.each([
  [['--modle', 'x'], "unknown option '--modle'\n(Did you mean --model?)\n`samewire chat --help` shows"],
  [['--base-url', 'nonsense'], 'nonsense is no address'],
  [['a', '--model', 'b'], 'the model is given twice'],
])('wrong arguments are told, with what may be meant: %s', async (args, message) => {
  const { stderr, code } = await chat([], args)
  expect(code).toBe(2)
  expect(stderr).toContain(message)
})

test('the conversation, the system message and the model go with every question, and /reset forgets', async () => {
  const answer = stream(chatFrames('Yes', '!'))
  script(answer, answer, answer)
  const { input, done, until } = inProcess()
  input.end('one\n/system Be short\n/model fake/other\ntwo\n/reset\n/system\nthree\n')
  await done
  expect(asked().map(({ model, messages }) => [model, ...messages.map(({ content }) => content)])).toEqual([
    ['m', 'one'],
    ['other', 'Be short', 'one', 'Yes!', 'two'],
    ['other', 'three'],
  ])
  expect(await until('You: two')).toContain('ChatGPT: Yes!\nfake/m · ')
})

test('an error is told in a sentence, and the question is not part of the conversation', async () => {
  script(json(400, { error: { message: 'No such luck', type: 'invalid_request_error' } }), stream(chatFrames('Yes')))
  const { input, done, printed } = inProcess()
  input.end('one\ntwo\n')
  await done
  expect(printed()).toContain('ChatGPT: \n400 No such luck\nYou: two\nChatGPT: Yes\n')
  expect(asked()[1]?.messages).toEqual([{ role: 'user', content: 'two' }])
})

test('reasoning is dimmed, and no escape of a model reaches the terminal', async () => {
  script(stream([chunk({ reasoning: 'Hm\x1b[2J.' }), ...chatFrames('Yes\x1b]0;owned\x07')]))
  const { input, until, done } = inProcess({ tty: true })
  input.write('one\n')
  const text = await until('· 2 pieces')
  expect(text).toContain('ChatGPT: \x1b[2mHm[2J.\x1b[22m\nYes]0;owned\n')
  input.end()
  await done
})

test('Ctrl-C stops the answer that is coming, keeps what came, and the loop goes on', async () => {
  script(stream([chunk({ content: 'Once upon' })], 'silence'), stream(chatFrames('Yes')))
  const { input, until, done } = inProcess({ tty: true })
  input.write('one\n')
  await until('ChatGPT: Once upon')
  input.write('\x03')
  await until('Stopped.')
  await upstream.seen.at(-1)?.abandoned
  input.write('two\n')
  await until('ChatGPT: Yes')
  expect(asked()[1]?.messages.map(({ content }) => content)).toEqual(['one', 'Once upon', 'two'])
  input.write('\x03')
  await until('/exit or Ctrl-D leaves.\x1b')
  input.write('\x04')
  await done
})

test('the signal stops an answer where the input is a pipe, and ends the loop where there is none', async () => {
  script(stream([chunk({ content: 'Once upon' })], 'silence'))
  const signals = new PassThrough()
  const { input, until, done } = inProcess({ signals })
  input.write('one\n')
  await until('ChatGPT: Once upon')
  signals.emit('SIGINT')
  await until('Stopped.\nYou: ')
  signals.emit('SIGINT')
  expect(await done).toBe('interrupted')
  expect(signals.listenerCount('SIGINT')).toBe(0)
})

test('the line behind an answer has the attempts and the reason when it was not simple', async () => {
  script(json(503, { error: { message: 'busy' } }), stream(chatFrames('Yes')))
  const { input, done, printed } = inProcess({ model: 'first' })
  input.end('one\n')
  await done
  expect(printed()).toMatch(/fake\/m · 2 attempts · reason: \w+ · first token after/)
})

test('the pace leaves the first token out', () => {
  const served = {
    asked: 'a',
    started: 1000,
    model: 'p/a',
    attempts: '1',
    first: 1500,
    last: 2500,
    tokens: 11,
    pieces: 4,
  }
  expect(footnote(served)).toBe('p/a · first token after 0.50 s · 10.0 tokens/s · 11 tokens')
  expect(footnote({ asked: 'a', started: 0, pieces: 0 })).toBe('a · 0 pieces')
})

test('printable text keeps its lines', () => {
  expect(printable('a\n\tb\r\n\x1b[31mc\x9b1md')).toBe('a\n\tb\n[31mc1md')
})
