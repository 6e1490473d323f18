import { checkCharacters, invalidType, invalidValue, type JsonObject, tooManyItems, unsupported } from './contract.ts'
import type { Event, Job, TokenLogprob } from './generate.ts'
import { MOST_CHOICES, readBoolean, readInteger, readSettings } from './settings.ts'
import type { Tokenizer } from './tokenizer.ts'
import type { Wire } from './wire.ts'

const DEFAULT_MAX_TOKENS = 16
const MOST_LOGPROBS = 5

/** A legacy completion: the prompt goes to the model unchanged, and the answer is only text. */
export function completionsJob(body: JsonObject, tokenizer: Tokenizer): Job & { includeUsage: boolean } {
  const settings = readSettings(body, tokenizer.size)
  const logprobs = readInteger(body, 'logprobs', 0, MOST_LOGPROBS)
  const echo = readBoolean(body, 'echo') ?? false
  if (typeof body.suffix === 'string' && body.suffix !== '') {
    throw unsupported('suffix', 'The embedded model cannot fill in text before a suffix.')
  }
  if ((readInteger(body, 'best_of', 1, 128) ?? 1) > settings.n) {
    throw unsupported('best_of', "The embedded model does not rank its answers: 'best_of' cannot be more than 'n'.")
  }
  if (logprobs !== null && echo) {
    throw unsupported(
      'logprobs',
      "The embedded model has no log probabilities for a prompt: 'logprobs' excludes 'echo'.",
    )
  }
  return {
    ...settings,
    prompts: readPrompts(body.prompt, settings.n, tokenizer),
    maxTokens: settings.maxTokens ?? DEFAULT_MAX_TOKENS,
    thinking: false,
    logprobs,
    calls: null,
    grammar: null,
  }
}

function readPrompts(prompt: unknown, n: number, tokenizer: Tokenizer): number[][] {
  if (prompt === undefined || prompt === null) return [[tokenizer.beginId]]
  if (typeof prompt === 'string') return [readPrompt(prompt, 'prompt', tokenizer)]
  if (!Array.isArray(prompt)) throw invalidType('prompt', 'a string or an array', prompt)
  if (prompt.length === 0) throw invalidValue('prompt', 'it must not be an empty array.')
  if (typeof prompt[0] === 'number') return [readPrompt(prompt, 'prompt', tokenizer)]
  const most = Math.floor(MOST_CHOICES / n)
  if (prompt.length > most) throw tooManyItems('prompt', most, prompt.length)
  checkCharacters(
    prompt.reduce<number>((sum, one) => sum + (typeof one === 'string' ? one.length : 0), 0),
    'prompt',
  )
  return prompt.map((one, i) => readPrompt(one, `prompt[${i}]`, tokenizer))
}

export function readPrompt(prompt: unknown, at: string, tokenizer: Tokenizer, param = 'prompt'): number[] {
  if (typeof prompt !== 'string' && !Array.isArray(prompt))
    throw invalidType(at, 'a string or an array of tokens', prompt)
  if (typeof prompt === 'string') checkCharacters(prompt.length, param)
  const tokens: number[] = typeof prompt === 'string' ? tokenizer.encode(prompt) : prompt
  for (const id of tokens) {
    if (typeof id !== 'number') throw invalidType(at, 'token ids', id)
    if (!Number.isInteger(id) || id < 0 || id >= tokenizer.size) throw invalidValue(at, `${id} is not a token id.`)
  }
  return tokens.length > 0 ? tokens : [tokenizer.beginId]
}

/** Formats the events of a completion for the client. `echo` puts the prompt before its answer. */
export function completionsWire(body: JsonObject, tokenizer: Tokenizer): Wire {
  const echoed = (prompt: readonly number[]) => (body.echo === true ? tokenizer.decode(prompt) : '')
  const offsets = new Map<number, number>()
  const choice = (
    index: number,
    text: string,
    logprobs: readonly TokenLogprob[] = [],
    reason: string | null = null,
  ) => {
    const offset = offsets.get(index) ?? 0
    offsets.set(index, offset + text.length)
    return {
      text,
      index,
      logprobs: logprobs.length > 0 ? legacyLogprobs(logprobs, offset) : null,
      finish_reason: reason,
    }
  }
  return {
    objects: { chunk: 'text_completion', whole: 'text_completion' },
    choices: (event) => {
      if (event.kind === 'finish') return [choice(event.index, '', [], event.reason)]
      if (event.kind === 'piece') return [choice(event.index, pieceText(event), event.logprobs)]
      const text = echoed(event.prompt)
      return text === '' ? [] : [choice(event.index, text)]
    },
    collect: ({ prompt }) => {
      let text = echoed(prompt)
      const logprobs: TokenLogprob[] = []
      return {
        add: (event) => {
          text += pieceText(event)
          logprobs.push(...event.logprobs)
        },
        choice: (index, reason) => choice(index, text, logprobs, reason),
      }
    },
  }
}

function pieceText({ piece }: Extract<Event, { kind: 'piece' }>): string {
  return piece.kind === 'content' ? piece.text : ''
}

function legacyLogprobs(tokens: readonly TokenLogprob[], start: number): JsonObject {
  let offset = start
  return {
    tokens: tokens.map(({ token }) => token),
    token_logprobs: tokens.map(({ logprob }) => logprob),
    top_logprobs: tokens.map(({ top_logprobs: top }) => Object.fromEntries(top.map((one) => [one.token, one.logprob]))),
    text_offset: tokens.map(({ token }) => {
      offset += token.length
      return offset - token.length
    }),
  }
}
