import type { Bounding } from '../../core/bounding.ts'
import type { JsonObject } from '../../wire/json.ts'
import { textLength } from '../../wire/outline.ts'
import { fieldOutside, frameFields } from './bounded-fields.ts'
import { countParts } from './bounding.ts'

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
  outside: (asked) => fieldOutside(asked, rerankFields),
}

/** A picture or a film. */
function isSeen(part: JsonObject): boolean {
  return ['image', 'image_url', 'video', 'video_url'].some((name) => part[name] !== undefined)
}
