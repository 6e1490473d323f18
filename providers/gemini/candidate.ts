import { GatewayError } from '../../src/wire/errors.ts'
import { toolCallId } from '../../src/wire/ids.ts'
import { isObject, type JsonObject, objectAt, stringAt } from '../../src/wire/json.ts'
import { finishOf } from './reasons.ts'
import { detailOf, extraContent } from './signatures.ts'

/** What one answer, or one event of a stream, says. */
export interface Said {
  readonly thought: string
  readonly text: string
  readonly images: readonly JsonObject[]
  /** With the index that each has in a stream. */
  readonly calls: readonly JsonObject[]
  readonly details: readonly JsonObject[]
}

/** Reads one candidate, all at once or piece by piece. https://ai.google.dev/api/generate-content#candidate */
export class CandidateReader {
  readonly #random: () => number
  #calls = 0
  #details = 0
  #said = false
  /** The last reason for its end; older models tell one with each piece. */
  #reason: string | undefined
  #words: string | undefined

  constructor(random: () => number) {
    this.#random = random
  }

  get isOver(): boolean {
    return this.#reason !== undefined
  }

  /** OpenAI's reason for the end. Throws if the candidate is no answer. */
  get finish(): string {
    const came = { called: this.#calls > 0, said: this.#said }
    return finishOf(this.#reason ?? 'STOP', came, this.#words)
  }

  read(candidate: JsonObject): Said {
    this.#reason = stringAt(candidate, 'finishReason') ?? this.#reason
    this.#words = stringAt(candidate, 'finishMessage') ?? this.#words
    const said = {
      thought: '',
      text: '',
      images: [] as JsonObject[],
      calls: [] as JsonObject[],
      details: [] as JsonObject[],
    }
    const parts = objectAt(candidate, 'content')?.parts
    for (const part of Array.isArray(parts) ? parts.filter(isObject) : []) {
      const signature = stringAt(part, 'thoughtSignature')
      const called = objectAt(part, 'functionCall')
      const call = called && this.#callOf(called, signature)
      if (call) said.calls.push(call)
      if (signature) said.details.push(detailOf(signature, this.#details++, call && String(call.id)))
      if (part.thought === true) said.thought += stringAt(part, 'text') ?? ''
      else said.text += textOf(part)
      const picture = part.thought === true ? undefined : pictureOf(part)
      if (picture) said.images.push(picture)
    }
    this.#said ||= said.text !== '' || said.calls.length > 0 || said.images.length > 0
    return said
  }

  #callOf({ id, name, args, willContinue }: JsonObject, signature: string | undefined): JsonObject | undefined {
    // Vertex does that where it is asked to, with paths into the arguments.
    if (willContinue === true) throw new GatewayError('protocol', 'Gemini sent the arguments of a call in pieces.')
    if (typeof name !== 'string' || name === '') return undefined
    return {
      index: this.#calls++,
      id: typeof id === 'string' && id !== '' ? id : toolCallId(this.#random),
      type: 'function',
      function: { name, arguments: JSON.stringify(args ?? {}) },
      ...extraContent(signature),
    }
  }
}

/** What a part adds to the text. Code that Gemini ran itself, and what came of it, stand there as in its own apps. */
function textOf(part: JsonObject): string {
  const code = objectAt(part, 'executableCode')
  if (code) return `\n\`\`\`${String(code.language ?? '').toLowerCase()}\n${stringAt(code, 'code') ?? ''}\n\`\`\`\n`
  const result = objectAt(part, 'codeExecutionResult')
  if (result) return `\n\`\`\`\n${stringAt(result, 'output') ?? ''}\n\`\`\`\n`
  return stringAt(part, 'text') ?? ''
}

/** A picture in OpenRouter's form: https://openrouter.ai/docs/features/multimodal/image-generation */
function pictureOf(part: JsonObject): JsonObject | undefined {
  const { mimeType, data } = objectAt(part, 'inlineData') ?? {}
  if (typeof data !== 'string') return undefined
  if (typeof mimeType === 'string' && mimeType.startsWith('image/')) {
    return { type: 'image_url', image_url: { url: `data:${mimeType};base64,${data}` } }
  }
  throw new GatewayError('incapable', `Gemini answered with ${String(mimeType)}, which a chat has no room for.`)
}
