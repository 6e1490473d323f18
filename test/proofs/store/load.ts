import { chat } from '../../support/ask.ts'

/** Keys of the gateway, by what becomes of their requests where the store fails. */
export const keys = { refuse: 'the-key-that-is-refused', admit: 'the-key-that-goes-on', free: 'the-key-without-limits' }
export type KeyName = keyof typeof keys

/** What clients saw. */
export interface Seen {
  /** Requests that were answered, by key. */
  readonly answered: Record<KeyName, number>
  /** Those that were refused in a way that clients understand. */
  readonly refused: Record<KeyName, number>
  streams: number
  /** Whatever else came of a request. */
  readonly lost: string[]
  /** Milliseconds. */
  slowest: number
}

export const nothingSeen = (): Seen => ({
  answered: { refuse: 0, admit: 0, free: 0 },
  refused: { refuse: 0, admit: 0, free: 0 },
  streams: 0,
  lost: [],
  slowest: 0,
})

/** Clients that ask one request after the other until they are told to stop. */
export class Load {
  readonly #url: string
  readonly #seen: Seen
  readonly #clients: Promise<void>[] = []
  #isOver = false

  constructor(url: string, seen: Seen) {
    this.#url = url
    this.#seen = seen
    for (const key of ['refuse', 'admit', 'free'] as const) {
      for (let client = 0; client < 4; client++) this.#clients.push(this.#client(() => this.ask(key)))
      this.#clients.push(this.#client(() => this.#stream(key)))
    }
  }

  /** The status of one request. */
  async ask(key: KeyName): Promise<number> {
    const began = performance.now()
    const response = await this.#send(key, {})
    const body = (await response.json()) as { readonly error?: { readonly message?: unknown } }
    this.#seen.slowest = Math.max(this.#seen.slowest, performance.now() - began)
    this.#count(key, response, typeof body.error?.message === 'string')
    return response.status
  }

  async stop(): Promise<void> {
    this.#isOver = true
    await Promise.all(this.#clients)
  }

  /** One that lasts longer than most of what befalls the store. */
  async #stream(key: KeyName): Promise<void> {
    const response = await this.#send(key, { stream: true })
    const text = await response.text()
    if (response.ok) {
      if (text.endsWith('data: [DONE]\n\n')) this.#seen.streams++
      else this.#seen.lost.push(`a stream of ${key} ended with ${text.slice(-200)}`)
    }
    this.#count(key, response, text.includes('"message"'))
  }

  #count(key: KeyName, { status, headers }: Response, isTold: boolean): void {
    if (status === 200) this.#seen.answered[key]++
    else if (status === 503 && isTold && headers.has('retry-after')) this.#seen.refused[key]++
    else this.#seen.lost.push(`${key} got ${status}`)
  }

  async #client(ask: () => Promise<unknown>): Promise<void> {
    while (!this.#isOver) {
      await ask().catch((error) => this.#seen.lost.push(String(error)))
      await new Promise((turn) => setTimeout(turn, 5))
    }
  }

  #send(key: KeyName, more: object): Promise<Response> {
    return fetch(`${this.#url}/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${keys[key]}`, 'content-type': 'application/json' },
      body: JSON.stringify(chat('m', { max_tokens: 3_000, ...more })),
    })
  }
}
