import type { Bounding, Pictures } from '../../core/bounding.ts'
import { fieldOutside, frameFields } from '../../operations/common/bounded-fields.ts'
import { charactersIn, limitAmong } from '../../operations/common/bounding.ts'
import { kindsLacking } from '../../operations/common/kinds.ts'
import { each, outOfSight, type Sight } from '../../operations/common/sight.ts'
import { isObject, type JsonObject } from '../../wire/json.ts'
import { withField } from '../../wire/with-field.ts'

export const boundingOllama: Bounding = {
  output: ({ options }) => ({ tokens: limitAmong(isObject(options) ? options.num_predict : undefined), answers: 1 }),
  limited(body, tokens) {
    const { options } = body.json
    return withField(body, 'options', { ...(isObject(options) && options), num_predict: tokens })
  },
  media: mediaIn,
  pictures: ({ messages, images }) =>
    picturesOf([images, ...(Array.isArray(messages) ? messages : []).map((one) => one?.images)]),
  unbounded: (asked, body) => outOfSight('messages', asked, body, look),
  without: (asked) => kindsLacking(asked, mediaIn(asked)),
  outside: (asked) => fieldOutside(asked, fields),
}

const fields: ReadonlySet<string> = new Set([
  ...frameFields,
  ...['messages', 'prompt', 'suffix', 'images', 'system', 'template', 'context', 'raw', 'format', 'options', 'think'],
  ...['keep_alive', 'tools', 'logprobs', 'top_logprobs', 'truncate', 'shift'],
])

/** Its names are read in any case. */
const messageFields: ReadonlySet<string> = new Set([
  'role',
  'content',
  'thinking',
  'images',
  'tool_calls',
  'tool_name',
  'tool_call_id',
  'name',
])

function look({ messages, images }: JsonObject, sight: Sight): void {
  const lists = [images]
  each(messages, (message) => {
    lists.push(message.images)
    for (const name in message)
      if (!messageFields.has(name)) sight.lose(`the field \`${name.slice(0, 100)}\` of a message`)
  })
  for (const list of lists) if (Array.isArray(list)) for (const image of list) sight.addPicture(image ?? '')
}

function mediaIn({ messages, images }: JsonObject): number {
  const of = (list: unknown) => (Array.isArray(list) ? list.length : 0)
  return of(images) + (Array.isArray(messages) ? messages : []).reduce((sum: number, one) => sum + of(one?.images), 0)
}

function picturesOf(lists: readonly unknown[]): Pictures {
  const all = lists.flatMap((list) => (Array.isArray(list) ? list : []))
  return { count: all.length, characters: all.reduce((sum: number, one) => sum + charactersIn(one), 0) }
}
