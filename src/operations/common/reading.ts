import type { Bounding } from '../../core/bounding.ts'
import { isObject, type JsonObject } from '../../wire/json.ts'
import { textLength } from '../../wire/outline.ts'
import { fieldOutside, frameFields } from './bounded-fields.ts'
import { countParts, dataIn, picturesIn } from './bounding.ts'
import { addressIn } from './parts.ts'
import { each, outOfSight, type Sight, unknownPart } from './sight.ts'

/** What is read and answered without tokens: vectors, orders, judgements. */
const output: Bounding['output'] = () => ({ tokens: 0, answers: 1 })

const known = (text: string): ReadonlySet<string> => new Set([...frameFields, ...text.split(/\s+/)])

const embeddingFields = known(
  `input encoding_format dimensions output_dimension output_dtype embedding_type embedding_types input_type task task_type
  title normalize normalized truncate truncation truncate_prompt_tokens add_special_tokens late_chunking`,
)

export const boundingEmbeddings: Bounding = {
  output,
  outside: (asked) => fieldOutside(asked, embeddingFields),
}

const moderationFields = known('input')

export const boundingModerations: Bounding = {
  output,
  media: ({ input }) => countParts(input, isSeen),
  pictures: ({ input }) => picturesIn(input, pictureData),
  unbounded: (asked, body) => outOfSight('input', asked, body, ({ input }, sight) => lookAtInputs(input, sight)),
  outside: (asked) => fieldOutside(asked, moderationFields),
}

/** Not how many pieces are made of a document: some bill each. */
const rerankFields = known(
  'query documents top_n top_k return_documents rank_fields truncate truncation truncate_prompt_tokens',
)

/** Tokens of what a server's template says of one document. */
const perDocument = 128
/** Bytes of a character at most. */
const perCharacter = 3

export const boundingRerank: Bounding = {
  output,
  /** The query is read once more with each document. */
  input({ bytes, outline: { query, documents } }) {
    const each = perDocument + perCharacter * (typeof query === 'string' ? textLength(query) : 0)
    return bytes.length + each * (Array.isArray(documents) ? documents.length : 0)
  },
  media: ({ documents }) => countParts(documents, isSeen),
  unbounded: (asked, body) =>
    outOfSight('documents', asked, body, ({ documents }, sight) => {
      lookAtDocument(documents, sight)
    }),
  outside: (asked) => fieldOutside(asked, rerankFields),
}

function isSeen(part: JsonObject): boolean {
  return addressIn(part) !== undefined || Object.keys(part).some((name) => files.has(name))
}

function pictureData(part: JsonObject): number | undefined {
  const address = addressIn(part)
  return address === undefined ? undefined : dataIn(address)
}

/** Fields with something else than words and pictures, by the names of Jina's, Cohere's, Voyage's and vLLM's APIs. */
const files: ReadonlySet<string> = new Set(
  ['video', 'video_url', 'video_base64', 'videos', 'audio', 'audio_url', 'audio_base64', 'input_audio', 'pdf'].concat([
    ...['pdf_url', 'image_base64', 'file_data', 'file_url', 'document_url'],
  ]),
)
const pictures: ReadonlySet<string> = new Set(['image', 'images', 'image_url'])
const words: ReadonlySet<string> = new Set(['type', 'text', 'image', 'image_url', 'detail'])

function lookAtInputs(inputs: unknown, sight: Sight): void {
  each(inputs, (input) => {
    const address = addressIn(input)
    if (address !== undefined) sight.addPicture(address)
    for (const name in input) {
      if (files.has(name)) sight.addFile('a file')
      else if (!words.has(name)) sight.lose(unknownPart(name))
    }
  })
}

/** A document that is ranked may have any fields, and parts inside. What is said in a word names nothing. */
function lookAtDocument(value: unknown, sight: Sight): void {
  if (Array.isArray(value)) for (const one of value) lookAtDocument(one, sight)
  if (!isObject(value)) return
  for (const name in value) {
    const [field, inside] = [name.toLowerCase(), value[name]]
    if (files.has(field)) addSources(inside, (source) => sight.addFile('a file', source))
    else if (pictures.has(field)) addSources(inside, (source) => sight.addPicture(source))
    else lookAtDocument(inside, sight)
  }
}

/** Where something is, or the data of it: as such, in lists, or as `{ url }` and the like. */
function addSources(value: unknown, add: (source: string) => void): void {
  if (typeof value === 'string') {
    if (textLength(value) > longestWord || /^\s*[a-z][a-z\d+.-]*:/i.test(value)) add(value)
  } else if (typeof value === 'object' && value !== null) {
    for (const one of Object.values(value)) addSources(one, add)
  }
}

const longestWord = 200
