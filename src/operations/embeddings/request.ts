import type { Capability, Demand } from '../../core/operation.ts'
import { invalid, type RequestBody } from '../../wire/body.ts'
import { shorten } from '../../wire/errors.ts'
import { type JsonObject, stringAt } from '../../wire/json.ts'
import { textLength } from '../../wire/outline.ts'
import { checkBounds, wrongType } from '../common/fields.ts'

/** Texts, or lists of tokens, of one request. */
const mostInputs = 2048

/** What is to be embedded: each entry a text or a list of tokens. Undefined if `input` is anything else. */
export function inputsOf({ input }: JsonObject): readonly (string | readonly number[])[] | undefined {
  if (typeof input === 'string') return [input]
  if (isTokens(input)) return [input]
  if (!Array.isArray(input) || input.length === 0) return undefined
  return input.every((entry) => typeof entry === 'string') || input.every(isTokens) ? input : undefined
}

function isTokens(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.length > 0 && value.every((token) => Number.isInteger(token) && token >= 0)
}

/** Throws the 400 of OpenAI's API for an invalid request. Whether a text may be empty is left to the upstream. */
export function validateEmbeddings({ outline }: RequestBody): void {
  const { input } = outline
  if (input === undefined || input === null) {
    throw invalid("Missing required parameter: 'input'.", 'input', 'missing_required_parameter')
  }
  const inputs = inputsOf(outline)
  if (!inputs) {
    throw invalid(
      "'$.input' is invalid. Please check the API reference: https://platform.openai.com/docs/api-reference.",
    )
  }
  if (inputs.length > mostInputs) {
    const message = `Invalid 'input': array too long. Expected an array with maximum length ${mostInputs}, but got an array with length ${inputs.length} instead.`
    throw invalid(message, 'input', 'array_above_max_length')
  }
  checkFormat(outline.encoding_format ?? undefined)
  checkDimensions(outline.dimensions ?? undefined)
  const { user } = outline
  if (user !== undefined && user !== null && typeof user !== 'string') throw wrongType('user', 'a string', user)
}

function checkFormat(format: unknown): void {
  if (format === undefined || format === 'float' || format === 'base64') return
  if (typeof format !== 'string') throw wrongType('encoding_format', "one of 'float' or 'base64'", format)
  // An outline has a mark in place of a long text.
  const given = format.startsWith('\0') ? 'a long text' : `'${shorten(format, 64)}'`
  throw invalid(
    `Invalid value: ${given}. Supported values are: 'float' and 'base64'.`,
    'encoding_format',
    'invalid_value',
  )
}

function checkDimensions(dimensions: unknown): void {
  if (dimensions === undefined) return
  if (typeof dimensions !== 'number' || !Number.isInteger(dimensions)) {
    throw wrongType('dimensions', 'an integer', dimensions)
  }
  checkBounds('dimensions', dimensions, { least: 1 })
}

/** Upper estimate of characters per token, as for chat. */
const charactersPerToken = 6
const shortened: ReadonlySet<Capability> = new Set(['dimensions'])
const none: ReadonlySet<Capability> = new Set()

/** What a request requires of a model. Each input has the context for itself, so the longest one counts. */
export function embeddingsDemand({ outline }: RequestBody): Demand {
  let tokens = 0
  // What is to be cut can't be too long.
  for (const input of outline.truncate === true ? [] : (inputsOf(outline) ?? [])) {
    const own = typeof input === 'string' ? Math.ceil(textLength(input) / charactersPerToken) : input.length
    tokens = Math.max(tokens, own)
  }
  return {
    needs: typeof outline.dimensions === 'number' ? shortened : none,
    tokens,
    user: stringAt(outline, 'user'),
  }
}
