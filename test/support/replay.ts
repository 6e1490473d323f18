import { readFileSync } from 'node:fs'
import { anthropicCases, anthropicName } from './anthropic-recordings.ts'
import { geminiCases, geminiName } from './gemini-recordings.ts'
import { type FakeUpstream, fakeUpstream, type Script } from './upstream.ts'

export interface Recorded {
  readonly label: string
  readonly request: { readonly method: string; readonly path: string; readonly body: unknown }
  readonly response: { readonly status: number; readonly headers: Record<string, string>; readonly body: string }
}

/** The exchanges of one recorded server: `llama-server-0.7.0`, `ollama-0.32.15-native`, … */
export function recorded(server: string): Recorded[] {
  if (server === geminiName) return geminiCases
  if (server === anthropicName) return anthropicCases
  const file = new URL(`../fixtures/${server}.json`, import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { cases: Recorded[] }).cases
}

/** One recorded exchange by its label. Throws if there is none, so that no test passes without one. */
export function recordedCase(server: string, label: string): Recorded {
  const found = recorded(server).find((entry) => entry.label === label)
  if (!found) throw new Error(`no recorded case ${server} ${label}`)
  return found
}

/** Headers of the recorded connection, not of the answer. */
const hopByHop = ['connection', 'keep-alive', 'transfer-encoding', 'content-length', 'date']

/** Answers as the recorded server did; `cut` splits the bytes into writes. */
export function replay(
  { response: { status, headers, body } }: Recorded,
  cut: (bytes: Buffer) => Buffer[] = whole,
): Script {
  return async (_request, response) => {
    const kept = Object.entries(headers).filter(([name]) => !hopByHop.includes(name.toLowerCase()))
    response.writeHead(status, Object.fromEntries(kept))
    for (const piece of cut(Buffer.from(body))) {
      await new Promise<void>((written) => response.write(piece, () => written()))
      await new Promise((turn) => setImmediate(turn))
    }
    response.end()
  }
}

const whole = (bytes: Buffer): Buffer[] => [bytes]

/** Cuts anywhere, even inside a character: pieces of 1 to `most` bytes, the same for the same seed. */
export function randomCuts(seed: number, most = 40): (bytes: Buffer) => Buffer[] {
  let state = seed
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
  return (bytes) => {
    const pieces: Buffer[] = []
    for (let at = 0; at < bytes.length; ) {
      const size = 1 + Math.floor(next() * most)
      pieces.push(bytes.subarray(at, at + size))
      at += size
    }
    return pieces
  }
}

/**
 * All recorded servers on one port, for clients that can't start one: the path `/{server}/{label}/…` names the
 * exchange. `/{server}/{label}/cut-{seed}/…` sends it in random pieces.
 */
export async function replayServer(): Promise<FakeUpstream> {
  const upstream = await fakeUpstream()
  upstream.script((request, response, socket) => {
    const [, server = '', label = '', mode = ''] = request.path.split('/')
    const seed = /^cut-(\d+)$/.exec(mode)?.[1]
    return replay(recordedCase(server, label), seed ? randomCuts(Number(seed)) : whole)(request, response, socket)
  })
  return upstream
}
