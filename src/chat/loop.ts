import { createInterface, type Interface } from 'node:readline'
import type OpenAI from 'openai'
import type { Clock } from '../core/clock.ts'
import { help, runCommand } from './commands.ts'
import { createSession, defaultModel, type Session } from './session.ts'
import { describeError } from './text.ts'
import { answerTurn } from './turn.ts'

export interface ChatOptions {
  readonly client: OpenAI
  readonly clock: Clock
  readonly input: NodeJS.ReadableStream
  readonly output: NodeJS.WritableStream
  /** Where the greeting goes if the output is not a terminal, but the transcript for a program. Default: nowhere. */
  readonly errors?: NodeJS.WritableStream
  /** Default: the first model that the gateway lists. */
  readonly model?: string | undefined
  /** Where Ctrl-C arrives if the input is not a terminal. */
  readonly signals?: Pick<NodeJS.EventEmitter, 'on' | 'off'> | undefined
  /** Dims everything but the answers, if the output is a terminal. */
  readonly color?: boolean
}

/**
 * Asks and answers until the input ends, `/exit`, or a signal that stops no answer where there is no terminal. Errors
 * are printed and the loop goes on; `failed` says that there were some and nobody was at a terminal to read them.
 */
export async function chatLoop(options: ChatOptions): Promise<'left' | 'interrupted' | 'failed'> {
  const { input, output, signals } = options
  const chat = new Chat(options)
  signals?.on('SIGINT', chat.interrupt)
  try {
    await chat.greet()
    await chat.run(input, output)
    if (chat.interrupted) return 'interrupted'
    return chat.failed && !isTerminal(input) ? 'failed' : 'left'
  } finally {
    signals?.off('SIGINT', chat.interrupt)
  }
}

class Chat {
  readonly session: Session
  readonly #options: ChatOptions
  #answering: AbortController | undefined
  #lines: Interface | undefined
  #closed = false
  interrupted = false
  /** Whether anything that was asked had no answer. */
  failed = false

  constructor(options: ChatOptions) {
    this.#options = options
    this.session = createSession(options.model)
  }

  async greet(): Promise<void> {
    const { session } = this
    const { client, output, errors } = this.#options
    try {
      session.model ??= await defaultModel(client)
      const who = `${session.model} at ${client.baseURL}`
      if (isTerminal(output)) this.say(`${who}\n${help}`)
      else errors?.write(`${who}\n`)
    } catch (error) {
      this.#fail(error)
    }
  }

  async run(input: NodeJS.ReadableStream, output: NodeJS.WritableStream): Promise<void> {
    if (this.interrupted) return
    const terminal = isTerminal(input) && isTerminal(output)
    const lines = createInterface({ input, output, terminal, prompt: 'You: ' })
    this.#lines = lines
    lines.on('SIGINT', this.interrupt)
    lines.on('close', () => {
      this.#closed = true
    })
    this.#prompt()
    for await (const line of lines) {
      // A terminal echoes what is typed; the transcript of a pipe should show it too.
      if (!terminal) output.write(`${line}\n`)
      if ((await this.#take(line.trim())) === 'exit') return lines.close()
      this.#prompt()
    }
    output.write('\n')
  }

  /** Ctrl-C: stops only the answer in progress. */
  readonly interrupt = (): void => {
    if (this.#answering) this.#answering.abort()
    else if (this.#lines?.terminal) {
      this.#options.output.write('\n')
      this.say('/exit or Ctrl-D leaves.')
      this.#prompt()
    } else {
      // Without a terminal the user can't type /exit.
      this.interrupted = true
      this.#lines?.close()
    }
  }

  /** Prints a line from the program itself. */
  say(text: string): void {
    this.#options.output.write(`${this.#dim(text)}\n`)
  }

  #fail(error: unknown): void {
    this.failed = true
    this.say(describeError(error, this.#options.client.baseURL))
  }

  #prompt(): void {
    // A pipe may have ended before its lines are answered, and a closed interface refuses to prompt.
    if (this.#closed) this.#options.output.write('You: ')
    else this.#lines?.prompt()
  }

  async #take(line: string): Promise<'exit' | undefined> {
    if (line === '') return undefined
    const { client } = this.#options
    try {
      if (!line.startsWith('/')) return await this.#ask(line)
      const said = await runCommand(line, this.session, client)
      if (said === 'exit') return 'exit'
      this.say(said)
    } catch (error) {
      this.#fail(error)
    }
    return undefined
  }

  async #ask(text: string): Promise<undefined> {
    const { client, clock, output } = this.#options
    const answering = new AbortController()
    this.#answering = answering
    try {
      const write = (said: string) => void output.write(said)
      const dim = (said: string) => this.#dim(said)
      this.say(await answerTurn(text, this.session, { client, clock, write, dim, signal: answering.signal }))
    } finally {
      this.#answering = undefined
    }
  }

  #dim(text: string): string {
    return this.#options.color && isTerminal(this.#options.output) ? `\x1b[2m${text}\x1b[22m` : text
  }
}

function isTerminal(stream: object): boolean {
  return Reflect.get(stream, 'isTTY') === true
}
