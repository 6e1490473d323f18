import type { Operation } from '../../core/operation.ts'
import type { Translated, Translation, TranslationContext } from '../../core/translation.ts'
import { firstChoice } from '../../operations/common/first-choice.ts'
import { completions } from '../../operations/completions.ts'
import { parseBody, type RequestBody } from '../../wire/body.ts'
import { GatewayError } from '../../wire/errors.ts'
import { isObject, type JsonObject } from '../../wire/json.ts'
import { beginAnswer } from './chat.ts'
import { generateForm } from './form.ts'
import { AnswerLines, emptyAnswer, wholeAnswer } from './lines.ts'
import { hints, inOwnTerms, settingsOf } from './settings.ts'

/** A text that goes on where the prompt ends, by a model's legacy completions. */
export const overCompletions = over(completions)

/** The same where the prompt must come without a template, which a completion by way of a chat would have. */
export const overRawCompletions = over({
  ...completions,
  features: { ...completions.features, raw: { find: () => 'raw' } },
})

function over(operation: Operation): Translation<Operation> {
  return { operation, begin, failure: inOllamasWords }
}

function begin({ json: asked }: RequestBody, context: TranslationContext): Translated {
  const { fields, dropped } = settingsOf(asked)
  const { reasoning_effort: effort, logprobs, top_logprobs: top, ...settings } = fields
  const { prompt = '', suffix, system, images } = asked
  if (Array.isArray(images) && images.length > 0) throw unable('images')
  const request = {
    ...settings,
    prompt,
    ...(typeof suffix === 'string' && suffix !== '' && { suffix }),
    ...(logprobs === true && { logprobs: top ?? 0 }),
    max_tokens: settings.max_tokens ?? limitFor(prompt, context),
  }
  const answering = beginAnswer(generateForm, context)
  return {
    body: parseBody(new TextEncoder().encode(JSON.stringify(request))),
    dropped: [...dropped, ...(effort === undefined ? [] : ['think']), ...(system ? ['system'] : [])],
    optional: hints,
    answer: (answer) => wholeAnswer(answer, asInChat(firstChoice(answer)), answering),
    stage: () => new TextLines(answering),
    ...(prompt === '' && { unasked: emptyAnswer(asked, answering) }),
  }
}

/** Tokens of an answer to which nobody sets a limit: completions would end after 16. */
const usualLimit = 4096
/** Characters for a token at least. */
const fewestCharacters = 3

function limitFor(prompt: unknown, { contextWindow, maxOutput }: TranslationContext): number {
  const most = Math.min(usualLimit, maxOutput ?? usualLimit)
  const room = (contextWindow ?? Number.POSITIVE_INFINITY) - Math.ceil(String(prompt).length / fewestCharacters)
  return room >= 1 ? Math.min(most, room) : most
}

class TextLines extends AnswerLines {
  protected override choiceOf(choice: JsonObject): JsonObject {
    const { message, ...rest } = asInChat(choice) ?? {}
    return { ...rest, delta: message }
  }
}

/** A completion's choice in the form of a chat's. */
function asInChat(choice: JsonObject | undefined): JsonObject | undefined {
  if (!choice) return undefined
  const { text, logprobs, ...rest } = choice
  return { ...rest, message: { content: text }, logprobs: { content: tokensOf(logprobs) } }
}

/** The tokens of the legacy form, which has a list for each of their fields. */
function tokensOf(logprobs: unknown): JsonObject[] {
  const { tokens, token_logprobs: own, top_logprobs: top } = isObject(logprobs) ? logprobs : {}
  if (!Array.isArray(tokens)) return []
  return tokens.map((token: unknown, at) => ({
    token,
    logprob: Array.isArray(own) ? own[at] : null,
    top_logprobs: Array.isArray(top)
      ? Object.entries(isObject(top[at]) ? top[at] : {}).map(([other, logprob]) => ({ token: other, logprob }))
      : [],
  }))
}

/** https://github.com/ollama/ollama/blob/main/server/routes.go */
const words: Readonly<Record<string, string>> = { suffix: 'insert', raw: 'raw mode', images: 'images in raw mode' }

function unable(param: string, cause?: unknown): GatewayError {
  return new GatewayError('incapable', `this model does not support ${words[param]}`, { param, cause })
}

function inOllamasWords(failure: GatewayError): GatewayError {
  const { kind, param } = failure
  return kind === 'incapable' && param && Object.hasOwn(words, param) ? unable(param, failure) : inOwnTerms(failure)
}
