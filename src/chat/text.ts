import OpenAI from 'openai'
import { keyNote, nobody } from '../cli/address.ts'

/** Facts about an answer. Times in milliseconds. */
export interface Served {
  asked: string
  started: number
  /** `provider/model`. */
  model?: string
  attempts?: string | undefined
  reason?: string | undefined
  first?: number
  last?: number
  /** Completion tokens, as counted by the server. */
  tokens?: number
  /** Number of pieces in the stream. */
  pieces: number
}

/** Which model answered and how fast: `ollama/llama3.2 · first token after 0.21 s · 48.3 tokens/s · 112 tokens`. */
export function footnote({ asked, started, model = asked, attempts, reason, ...served }: Served): string {
  const { first, last, tokens, pieces } = served
  const parts = [model]
  if (attempts !== undefined && attempts !== '1') parts.push(`${attempts} attempts`)
  if (reason !== undefined) parts.push(`reason: ${reason}`)
  if (first !== undefined && last !== undefined) {
    parts.push(`first token after ${seconds(first - started)}`)
    const count = tokens ?? pieces
    // The rate is that of the tokens after the first.
    if (count > 1 && last > first) parts.push(`${((1000 * (count - 1)) / (last - first)).toFixed(1)} ${unit(tokens)}/s`)
  }
  parts.push(`${tokens ?? pieces} ${unit(tokens)}`)
  return parts.join(' · ')
}

function unit(tokens: number | undefined): string {
  return tokens === undefined ? 'pieces' : 'tokens'
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`
}

/** Removes control characters: a model's output must not control the terminal. */
export function printable(text: string): string {
  return text.replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, '')
}

/** What went wrong and what to do about it. */
export function describeError(error: unknown, baseURL: string): string {
  if (error instanceof OpenAI.APIConnectionTimeoutError) return `${baseURL} did not answer in time.`
  if (error instanceof OpenAI.APIConnectionError) return nobody(baseURL)
  if (error instanceof OpenAI.AuthenticationError) {
    return printable(`${error.message} ${keyNote}`)
  }
  return printable(error instanceof Error ? error.message : String(error))
}
