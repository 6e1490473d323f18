import { readAnswer, readStream, type Said } from '../../contract/read.ts'
import { openaiRequests } from '../../contract/subjects.ts'
import type { Ask, Cases, Got } from '../cells.ts'
import type { Target } from '../targets.ts'
import { errorAsks } from './errors.ts'

type Fields = Readonly<Record<string, unknown>>

/** Both ways of asking, since a client may use either. */
const bothWays = (label: string, check: (said: Said) => string | undefined, fields: Fields = {}) => [
  asked(label, check, fields),
  asked(`${label}_stream`, check, fields),
]

function asked(label: string, check: (said: Said) => string | undefined, fields: Fields): Ask {
  const { request } = openaiRequests.cases.find((entry) => entry.label === label) ?? {}
  const { model: _, ...body } = { ...(request?.body as Fields), ...fields } as Record<string, unknown>
  return { about: body.stream ? 'streamed' : 'whole', upstream: label, body, check: (got) => check(saidIn(got)) }
}

function saidIn({ text, streamed }: Got): Said {
  const [said, ...more] = streamed ? readStream(text) : readAnswer(text)
  if (!said || more.length > 0) throw new Error(`${more.length + 1} choices`)
  return said
}

const speaks = ({ content, finish }: Said) =>
  content !== '' && finish === 'stop' ? undefined : `it says ${JSON.stringify(content)} and stops for ${finish}`

const calls = (count: number) => (said: Said) => {
  const names = said.calls.map(({ name }) => name)
  if (said.finish !== 'tool_calls') return `it stops for ${said.finish}`
  return names.length === count && names.every((name) => name === 'get_weather') ? undefined : `it calls ${names}`
}

function obeys({ content }: Said): string | undefined {
  const { ok, color, ...rest } = JSON.parse(content) as Record<string, unknown>
  const fits = typeof ok === 'boolean' && ['red', 'green'].includes(String(color)) && Object.keys(rest).length === 0
  return fits ? undefined : `it says ${content}`
}

/** A server without grammars is asked in words, which its recorded model is too small for: another one's answer. */
function withObedience({ server, subject }: Target, ask: Ask): Ask {
  const label = String(ask.upstream)
  if (server !== 'recorded' || subject?.chats.chat_json_schema) return ask
  const { body = '' } = openaiRequests.cases.find((entry) => entry.label === label)?.response ?? {}
  const type = label.endsWith('_stream') ? 'text/event-stream' : 'application/json'
  return { ...ask, upstream: { status: 200, headers: { 'content-type': type }, body } }
}

const thinks = ({ reasoning, content }: Said) => {
  if (reasoning === '') return 'it gives no reasoning_content'
  return content.includes('<think>') ? 'its reasoning is in the text' : undefined
}

/** `transformers serve` decodes its recorded model's thoughts away: none of them are in its answers. */
const losesThoughts = ({ subject }: Target) => subject?.recordings.name.startsWith('transformers')

const image = {
  type: 'image_url',
  image_url: {
    url: 'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  },
}
const picture = { messages: [{ role: 'user', content: [{ type: 'text', text: 'x' }, image] }] }

/** A model that reads no images and answers all the same has not read this one. */
const sees =
  ({ server }: Target) =>
  (said: Said) =>
    server === 'scripted' || server === 'live' ? speaks(said) : 'the image is dropped in silence'

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
