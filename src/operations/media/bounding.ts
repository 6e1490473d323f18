import type { Bounding, Unbounded } from '../../core/bounding.ts'
import type { RequestBody } from '../../wire/body.ts'
import { isFormBody } from '../../wire/body-kinds.ts'
import { isObject } from '../../wire/json.ts'
import { textLength } from '../../wire/outline.ts'
import { fieldOutside, unknownField } from '../common/bounded-fields.ts'
import { countOf } from '../common/bounding.ts'
import { editFields, partOutside, pictureFields, speechFields, transcriptionFields } from './known-fields.ts'

/** The most tokens of a picture that is drawn: the largest of the known ones has under 10,000. */
const perPicture = 16_384
/** The most tokens of a picture that is to be changed, at a high fidelity. */
const perSource = 8_000
/**
 * Bytes of a second of speech: telephones need more. Only silence that was packed well has less, so that files made for
 * it may cost more than was held, which is then booked all the same.
 */
const perSecond = 500
/** Tokens of a second of audio that is heard; known are 10 to 32. */
const heard = 40
/** Tokens of what is said in a second, in the rarest of scripts. */
const said = 16
/** Tokens of the audio of one character, spoken slowly, and of what comes before and after. */
const spoken = { each: 16, around: 1_024 }

const drawn: Bounding['output'] = ({ n }) => ({ tokens: perPicture, answers: countOf(Number(n)) })

export const boundingImages: Bounding = { output: drawn, outside: outsideOf(pictureFields) }

export const boundingEdits: Bounding = {
  output: drawn,
  input(body) {
    const { images, image, mask } = body.outline
    if (isFormBody(body)) return textBytes(body) + body.parts.filter(({ isFile }) => isFile).length * perSource
    return body.bytes.length + [images, image, mask].reduce((sum: number, one) => sum + sourcesIn(one), 0) * perSource
  },
  unbounded: (_, body) => tooLarge(body, 'image') ?? elsewhere(body, 'image', 'an image that is elsewhere'),
  outside: outsideOf(editFields),
}

export const boundingSpeech: Bounding = {
  output: ({ input }) => ({ tokens: spoken.around + spoken.each * charactersOf(input), answers: 1 }),
  outside: outsideOf(speechFields),
}

export const boundingTranscription: Bounding = {
  output: (_, body) => ({ tokens: 512 + secondsOf(body) * said, answers: 1 }),
  input: (body) => textBytes(body) + secondsOf(body) * heard,
  pieces: (_, body) => ({ seconds: secondsOf(body) }),
  unbounded: (_, body) => {
    const what = 'a recording that is elsewhere'
    return isFormBody(body) ? (tooLarge(body, 'file') ?? elsewhere(body, 'file', what)) : { what, param: 'file' }
  },
  outside: outsideOf(transcriptionFields),
}

/** What is said in it, and for how long, only its end tells. */
export const boundingRealtime: Bounding = {
  output: () => ({ tokens: undefined, answers: 1 }),
  unbounded: () => ({ what: 'a Realtime session', param: 'model' }),
}

function outsideOf(known: ReadonlySet<string>): NonNullable<Bounding['outside']> {
  return (asked, body) => {
    if (!body || !isFormBody(body)) return fieldOutside(asked, known)
    // A server may find a number where the gateway finds none.
    return partOutside(body.parts, known) ?? (Number.isNaN(Number(asked.n ?? 1)) ? unknownField('n') : undefined)
  }
}

/** What a form names in place of a file. */
function elsewhere(body: RequestBody, param: 'image' | 'file', what: string): Unbounded | undefined {
  if (!isFormBody(body)) return undefined
  return body.parts.some(({ name, isFile }) => !isFile && sources[param].test(name)) ? { what, param } : undefined
}

const sources = { image: /^(images?|mask)(\[|$)/, file: /^file(\[|$)/ }

function sourcesIn(given: unknown): number {
  if (Array.isArray(given)) return given.length
  return given === undefined || given === null ? 0 : 1
}

/** Of a large form only the beginning is there. */
function tooLarge(body: RequestBody, param: string): Unbounded | undefined {
  return body.isWhole ? undefined : { what: 'an upload of more than 8 MB', param }
}

/** Of a form without its files; of what is none all. */
function textBytes(body: RequestBody): number {
  if (!isFormBody(body)) return body.bytes.length
  return body.parts.reduce((sum, { isFile, valueStart, valueEnd }) => sum + (isFile ? 0 : valueEnd - valueStart), 0)
}

function secondsOf(body: RequestBody): number {
  if (!isFormBody(body)) return 0
  const files = body.parts.filter(({ isFile }) => isFile)
  const bytes = files.reduce((sum, { valueStart, valueEnd }) => sum + valueEnd - valueStart, 0)
  return 1 + Math.ceil(bytes / perSecond)
}

/** Of a large body the outline has the length of a text in its place. */
function charactersOf(input: unknown): number {
  return typeof input === 'string' ? textLength(input) : isObject(input) ? JSON.stringify(input).length : 0
}
