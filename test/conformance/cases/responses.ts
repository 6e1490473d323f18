import { openaiRequests } from '../../contract/subjects.ts'
import type { Ask, Cases, Got } from '../cells.ts'
import { eventsFault, eventsIn, responseIn, saidInResponse } from '../response.ts'
import type { Target } from '../targets.ts'
import { errorAsks } from './errors.ts'
import { type Check, calls, losesThoughts, obeys, pixel, sees, speaks, thinks, withObedience } from './said.ts'

type Fields = Readonly<Record<string, unknown>>

interface Chat {
  readonly messages: readonly { readonly role: string; readonly content: string }[]
  readonly max_tokens: number
  readonly temperature: number
  readonly tools?: readonly { readonly function: object }[]
  readonly response_format?: { readonly json_schema: object }
}

/** Both ways of asking, since a client may use either. */
const bothWays = (target: Target, label: string, check: Check, fields?: Fields) => [
  asked(target, label, check, fields),
  asked(target, `${label}_stream`, check, fields),
]

/** What the request of a recorded chat is as one for a response. */
function asked(target: Target, label: string, check: Check, fields: Fields = {}): Ask {
  const recorded = openaiRequests.cases.find((entry) => entry.label === label.replace('_stream', ''))
  if (!recorded) throw new Error(`nobody recorded ${label}`)
  const { messages, max_tokens: most, temperature, tools, response_format: format } = recorded.request.body as Chat
  const stream = label.endsWith('_stream')
  const body = {
    input: messages.at(-1)?.content,
    max_output_tokens: most,
    temperature,
    ...(tools && { tools: tools.map(({ function: tool }) => ({ type: 'function', ...tool })) }),
    ...(format && { text: { format: { type: 'json_schema', ...format.json_schema } } }),
    ...(stream && { stream }),
    ...fields,
  }
  return responseAsk(target, { about: stream ? 'streamed' : 'whole', upstream: label, body }, check)
}

/** A request for a response, whose answer must be one in form as well. */
export function responseAsk({ server }: Target, ask: Ask, check: Check): Ask {
  const streams = typeof ask.body === 'object' && ask.body.stream === true
  // Where the upstream makes the events itself, it may end as OpenAI does, without a `[DONE]`.
  const makesEvents = server === 'scripted' || server === 'live'
  return {
    ...ask,
    ...(streams && { type: 'text/event-stream; charset=utf-8', done: makesEvents ? 'may' : 'must' }),
    check: (got) => formFault(got) ?? check(saidInResponse(responseIn(got))),
  }
}

function formFault(got: Got): string | undefined {
  return got.streamed ? eventsFault(eventsIn(got.text)) : undefined
}

const picture = {
  input: [
    {
      role: 'user',
      content: [
        { type: 'input_text', text: 'x' },
        { type: 'input_image', image_url: pixel, detail: 'auto' },
      ],
    },
  ],
}

export const responsesCases: Cases = {
  plain: (target) => [asked(target, 'chat', speaks)],
  stream: (target) => [asked(target, 'chat_stream', speaks)],
  tools: (target) => bothWays(target, 'chat_tool', calls(1)),
  'parallel tools': (target) => bothWays(target, 'chat_tool_parallel', calls(2)),
  schema: (target) => bothWays(target, 'chat_json_schema', obeys).map((ask) => withObedience(target, ask)),
  reasoning: (target) =>
    losesThoughts(target)
      ? undefined
      : [
          ...bothWays(target, 'chat_reasoning', thinks),
          ...bothWays(target, 'chat_reasoning', thinks, { reasoning: { summary: 'auto' } }),
        ],
  vision: (target) => bothWays(target, 'chat', sees(target), picture).map((ask) => ({ ...ask, upstream: 'err_image' })),
  errors: (target) =>
    errorAsks(target, asked(target, 'chat', speaks), {
      invalid: { input: 5 },
      param: 'input',
      long: { input: 'hello world '.repeat(4_000) },
    }),
}
