import { Budget } from './budget.ts'
import { EngineError, type GenerateOptions } from './contract.ts'
import { Matcher, type Rule } from './grammar.ts'
import { OutputParser, type Piece } from './output.ts'
import { rank, Sampler, type Sampling } from './sampler.ts'
import { TextStream, type Tokenizer } from './tokenizer.ts'
import { BATCH, type Cache, type Transformer } from './transformer.ts'
import { Turns } from './turns.ts'

export interface Model {
  readonly tokenizer: Tokenizer
  readonly transformer: Transformer
  readonly contextWindow: number
}

/** One request, ready to run: `n` answers for each prompt, with consecutive indices. */
export interface Job {
  readonly prompts: readonly (readonly number[])[]
  readonly n: number
  readonly sampling: Omit<Sampling, 'seed'>
  /** If null, a seed is drawn from `GenerateOptions.random`. */
  readonly seed: number | null
  /** Maximum tokens of one answer; the room left in the context limits it further. */
  readonly maxTokens: number
  readonly stop: readonly string[]
  /** Whether `<think>` marks reasoning. */
  readonly thinking: boolean
  /** How many alternatives to list with each token's log probability; null for no log probabilities. */
  readonly logprobs: number | null
  /** The grammar of the whole answer. */
  readonly grammar: Rule | null
  /** The grammar of what follows `<tool_call>`; if set, calls are separated from content. */
  readonly calls: Rule | null
}

export interface TokenLogprob {
  readonly token: string
  readonly logprob: number
  readonly bytes: readonly number[]
  readonly top_logprobs: readonly Omit<TokenLogprob, 'top_logprobs'>[]
}

export type FinishReason = 'stop' | 'length' | 'tool_calls'

export type Event =
  | { readonly kind: 'start'; readonly index: number; readonly prompt: readonly number[] }
  | {
      readonly kind: 'piece'
      readonly index: number
      readonly piece: Piece
      readonly logprobs: readonly TokenLogprob[]
    }
  | { readonly kind: 'finish'; readonly index: number; readonly reason: FinishReason }

export interface Usage {
  promptTokens: number
  completionTokens: number
  reasoningTokens: number
}

/** Throws `EngineError` if a prompt leaves no room for an answer; `param` is the field it came from. */
export function checkContext(job: Job, contextWindow: number, param: 'messages' | 'prompt'): void {
  const tooLong = job.prompts.find((prompt) => prompt.length >= contextWindow)
  if (!tooLong) return
  throw new EngineError(
    400,
    `This model's maximum context length is ${contextWindow} tokens. However, your ${param} resulted in ${tooLong.length} tokens. Please reduce the length of the ${param}.`,
    { code: 'context_length_exceeded', param },
  )
}

/** Runs a job, one answer after the other, and adds its tokens to `usage`. */
export async function* generate(
  model: Model,
  job: Job,
  usage: Usage,
  options: GenerateOptions,
): AsyncGenerator<Event, void, void> {
  const seed = job.seed ?? Math.floor(options.random() * 2 ** 32)
  const turns = new Turns(options)
  let index = 0
  for (const prompt of job.prompts) {
    const limit = Math.min(job.maxTokens, model.contextWindow - prompt.length)
    const cache = model.transformer.cache(prompt.length + limit)
    const logits = await prefill(model, cache, prompt, turns)
    usage.promptTokens += prompt.length
    for (let i = 0; i < job.n; i++, index++) {
      await turns.take()
      yield { kind: 'start', index, prompt }
      cache.length = prompt.length
      const answer = new Answer(model, job, (seed + index) >>> 0, limit, usage)
      await answer.take(logits, turns)
      for (;;) {
        for (const event of answer.drain()) yield { ...event, index }
        if (answer.reason !== null) break
        await turns.take()
        model.transformer.forward(cache, [answer.last])
        // Copied at once: the next `forward` of any request overwrites them.
        await answer.take(model.transformer.logits.slice(), turns)
      }
      yield { kind: 'finish', index, reason: answer.reason }
    }
  }
}

async function prefill(model: Model, cache: Cache, prompt: readonly number[], turns: Turns): Promise<Float32Array> {
  for (let at = 0; at < prompt.length; at += BATCH) {
    await turns.take(BATCH)
    model.transformer.forward(cache, prompt.slice(at, at + BATCH))
  }
  return model.transformer.logits.slice()
}

type PieceEvent = Omit<Extract<Event, { kind: 'piece' }>, 'index'>

/** One answer being generated: from logits to tokens, and from tokens to pieces. */
class Answer {
  /** The token chosen last. */
  last = -1
  reason: FinishReason | null = null
  readonly #model: Model
  readonly #job: Job
  readonly #usage: Usage
  readonly #sampler: Sampler
  readonly #parser: OutputParser
  readonly #text = new TextStream()
  #left: number
  #matcher: Matcher | null = null
  #budget: Budget | null = null
  #out: PieceEvent[] = []
  /** Of tokens whose text was not emitted yet. */
  #logprobs: TokenLogprob[] = []

  constructor(model: Model, job: Job, seed: number, limit: number, usage: Usage) {
    this.#model = model
    this.#job = job
    this.#left = limit
    this.#usage = usage
    this.#sampler = new Sampler({ ...job.sampling, seed }, model.tokenizer.size, model.tokenizer.silentIds)
    this.#parser = new OutputParser({ thinking: job.thinking, tools: job.calls !== null, stop: job.stop })
    if (job.grammar) this.#follow(job.grammar)
  }

  /** Restricts all further tokens to a grammar. */
  #follow(grammar: Rule): void {
    this.#matcher = new Matcher(grammar)
    this.#budget = new Budget(this.#model.tokenizer, this.#matcher, this.#left)
  }

  /** Picks the next token, or ends the answer. */
  async take(logits: Float32Array, turns: Turns): Promise<void> {
    if (this.#left === 0) this.#end('length')
    else {
      const id = await this.#pick(logits, turns)
      if (id !== null) this.#accept(id, logits)
      if (id === null || this.#parser.stopped || this.#matcher?.finished) this.#end('stop')
      // An answer that is complete in its grammar was not cut.
      else if (this.#left === 0) this.#end(this.#matcher?.complete ? 'stop' : 'length')
    }
  }

  /** Picks and counts the next token; null if the model or the grammar ends the answer. */
  async #pick(logits: Float32Array, turns: Turns): Promise<number | null> {
    const { tokenizer } = this.#model
    const [matcher, budget] = [this.#matcher, this.#budget]
    const allows = (id: number) =>
      tokenizer.endIds.has(id) ? matcher?.complete === true : budget?.allows(id, this.#left - 1) === true
    const id = await this.#sampler.pick(logits, turns, matcher ? allows : undefined)
    if (id < 0) return null
    this.#left--
    this.#usage.completionTokens++
    return tokenizer.endIds.has(id) ? null : id
  }

  #accept(id: number, logits: Float32Array): void {
    const { tokenizer } = this.#model
    const { calls, logprobs } = this.#job
    this.last = id
    if (logprobs !== null) this.#logprobs.push(this.#logprob(logits, id, logprobs))
    this.#budget?.accept(id)
    if (!this.#matcher && calls && id === tokenizer.specialId('<tool_call>')) this.#follow(calls)
    this.#read(tokenizer.bytes(id))
  }

  #end(reason: 'stop' | 'length'): void {
    this.#emit(this.#parser.push(this.#text.end()))
    this.#emit(this.#parser.end())
    this.reason = reason === 'stop' && this.#parser.calls > 0 ? 'tool_calls' : reason
  }

  drain(): PieceEvent[] {
    const out = this.#out
    this.#out = []
    return out
  }

  #read(bytes: Uint8Array): void {
    const wasReasoning = this.#parser.reasoning
    const text = this.#text.push(bytes)
    this.#emit(this.#parser.push(text))
    if (wasReasoning || this.#parser.reasoning) this.#usage.reasoningTokens++
    // `logprobs.content` does not include tags, reasoning and calls.
    if (text !== '' && !this.#parser.holding) this.#logprobs = []
  }

  #emit(pieces: readonly Piece[]): void {
    for (const piece of pieces) {
      const logprobs = piece.kind === 'content' ? this.#logprobs : []
      if (piece.kind === 'content') this.#logprobs = []
      this.#out.push({ kind: 'piece', piece, logprobs })
    }
  }

  #logprob(logits: Float32Array, id: number, alternatives: number): TokenLogprob {
    const { chosen, top } = rank(logits, id, alternatives)
    const describe = (token: { id: number; logprob: number }) => {
      const bytes = this.#model.tokenizer.bytes(token.id)
      return { token: this.#model.tokenizer.decode([token.id]), logprob: token.logprob, bytes: [...bytes] }
    }
    return { ...describe(chosen), top_logprobs: top.map(describe) }
  }
}
