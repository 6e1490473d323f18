import { chat, contentOf, wordsOf } from '../support/ask.ts'
import { type LiveProgram, startLive } from '../support/live.ts'
import { chatAnswer, chatFrames, type FakeUpstream, fakeUpstream, json } from '../support/upstream.ts'

export interface Load {
  readonly workers: number
  /** Requests that are open at the same time, each on a connection of its own. */
  readonly connections: number
  readonly requests: number
  /** Of which a quarter are broken files. */
  readonly reloads: number
}

export interface Outcome {
  readonly answered: number
  readonly streams: number
  /** Not answered, or not to the end, with why. */
  readonly lost: readonly string[]
  /** Answered as no configuration said that was in force meanwhile. */
  readonly wrong: readonly string[]
  readonly applied: number
  readonly kept: number
  /** Milliseconds from the writing of a file until the gateway says that its configuration is in force; the worst one. */
  readonly slowest: number
}

/** Every third request is a stream, of as many chunks. */
const every = 3
const words = ['a', 'b', 'c', 'd', 'e', 'f']

/** An upstream that says which model it was asked for, at once or word by word. */
async function speaking(): Promise<FakeUpstream> {
  return await fakeUpstream(async (request, response, socket) => {
    if (request.method === 'GET') return json(404, {})(request, response, socket)
    const { model, stream } = JSON.parse(request.body) as { model: string; stream?: boolean }
    if (!stream) return json(200, chatAnswer(model))(request, response, socket)
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    for (const frame of chatFrames(...words.map((word) => `${model}${word} `))) {
      response.write(frame)
      await new Promise((turn) => setTimeout(turn, 2))
    }
    return response.end()
  })
}

/**
 * Puts a gateway under load while its configuration changes again and again, and counts what goes wrong. Every version
 * has another model behind the same name, so that each answer tells by which version it was given.
 */
export async function reloading({ workers, connections, requests, reloads }: Load): Promise<Outcome> {
  const upstream = await speaking()
  const configOf = (version: number) => ({
    providers: { lab: { type: 'openai-compatible', baseURL: upstream.url } },
    models: { m: `lab/v${version}.` },
  })
  const live = await startLive(configOf(0), { args: ['--workers', String(workers)] })
  const versions = { inForce: 0, written: 0 }
  const run = new Run(live, versions)
  const load = Promise.all(Array.from({ length: connections }, () => run.client(requests)))
  const told = { applied: 0, kept: 0, slowest: 0 }
  for (let turn = 1; turn <= reloads; turn++) {
    await run.until((requests * turn) / (reloads + 1))
    const from = performance.now()
    if (turn % 4 === 0) {
      await live.rewrite(turn % 8 === 0 ? '{"providers": {' : { ...configOf(turn), fallback: 'nothing' })
      told.kept++
    } else {
      versions.written = turn
      await live.rewrite(configOf(turn))
      versions.inForce = turn
      told.applied++
    }
    told.slowest = Math.max(told.slowest, performance.now() - from)
  }
  await load
  const shown = (await live.config()).last_reload?.outcome
  if (shown !== (reloads % 4 === 0 ? 'kept' : 'applied')) run.wrong.push(`the last reload was ${shown}`)
  await live.close()
  await upstream.close()
  return { ...run, ...told }
}

class Run {
  answered = 0
  streams = 0
  readonly lost: string[] = []
  readonly wrong: string[] = []
  readonly #live: LiveProgram
  readonly #versions: { readonly inForce: number; readonly written: number }
  #begun = 0
  #waiting: (() => void) | undefined

  constructor(live: LiveProgram, versions: { readonly inForce: number; readonly written: number }) {
    this.#live = live
    this.#versions = versions
  }

  /** Resolves when so many requests are answered or lost. */
  async until(count: number): Promise<void> {
    while (this.answered + this.lost.length < count) {
      await new Promise<void>((resolve) => {
        this.#waiting = resolve
      })
    }
  }

  async client(requests: number): Promise<void> {
    while (this.#begun < requests) {
      await this.#ask(this.#begun++ % every === 0).catch((error: unknown) => this.lost.push(String(error)))
      this.#waiting?.()
    }
  }

  async #ask(stream: boolean): Promise<void> {
    const least = this.#versions.inForce
    const { status, text } = await this.#live.request('/v1/chat/completions', {
      method: 'POST',
      body: JSON.stringify(chat('m', { stream })),
    })
    const most = this.#versions.written
    if (status !== 200) return void this.lost.push(`${status} ${text.slice(0, 200)}`)
    const told = stream ? wordsOf(text) : `${contentOf(text)}`
    const version = Number(/^v(\d+)\./.exec(told)?.[1])
    const whole = stream ? words.map((word) => `v${version}.${word} `).join('') : `v${version}.`
    if (told !== whole || (stream && !text.endsWith('data: [DONE]\n\n'))) return void this.lost.push(told)
    this.answered++
    if (stream) this.streams++
    if (version < least || version > most) this.wrong.push(`v${version}, not v${least} to v${most}`)
  }
}
