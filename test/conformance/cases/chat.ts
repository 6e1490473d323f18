import { readAnswer, readStream, type Said } from '../../contract/read.ts'
import { openaiRequests } from '../../contract/subjects.ts'
import type { Ask, Cases, Got } from '../cells.ts'
import { errorAsks } from './errors.ts'
import { type Check, calls, losesThoughts, obeys, pixel, sees, speaks, thinks, withObedience } from './said.ts'

type Fields = Readonly<Record<string, unknown>>

/** Both ways of asking, since a client may use either. */
const bothWays = (label: string, check: Check, fields: Fields = {}) => [
  asked(label, check, fields),
  asked(`${label}_stream`, check, fields),
]

function asked(label: string, check: Check, fields: Fields): Ask {
  const { request } = openaiRequests.cases.find((entry) => entry.label === label) ?? {}
  const { model: _, ...body } = { ...(request?.body as Fields), ...fields } as Record<string, unknown>
  return { about: body.stream ? 'streamed' : 'whole', upstream: label, body, check: (got) => check(saidIn(got)) }
}

function saidIn({ text, streamed }: Got): Said {
  const [said, ...more] = streamed ? readStream(text) : readAnswer(text)
  if (!said || more.length > 0) throw new Error(`${more.length + 1} choices`)
  return said
}

const image = { type: 'image_url', image_url: { url: pixel } }
const picture = { messages: [{ role: 'user', content: [{ type: 'text', text: 'x' }, image] }] }

export const chatCases: Cases = {
  plain: () => [asked('chat', speaks, {})],
  stream: () => [asked('chat_stream', speaks, {})],
  tools: () => bothWays('chat_tool', calls(1)),
  'parallel tools': () => bothWays('chat_tool_parallel', calls(2)),
  schema: (target) => bothWays('chat_json_schema', obeys).map((ask) => withObedience(target, ask)),
  reasoning: (target) => (losesThoughts(target) ? undefined : bothWays('chat_reasoning', thinks)),
  vision: (target) => [
    { ...asked('chat', sees(target), picture), upstream: 'err_image' },
    { ...asked('chat_stream', sees(target), picture), upstream: 'err_image' },
  ],
  errors: (target) =>
    errorAsks(target, asked('chat', speaks, {}), {
      invalid: { messages: 'hi' },
      param: 'messages',
      long: { messages: [{ role: 'user', content: 'hello world '.repeat(4_000) }] },
    }),
}
