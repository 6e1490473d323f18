import { responseAsk } from './cases/responses.ts'
import { pixel } from './cases/said.ts'
import type { Ask, Got } from './cells.ts'
import { compactionFault, eventFault, resourceFault } from './open-responses-schema.ts'
import { type Talk, talks } from './open-responses-socket.ts'
import { eventsIn, responseIn } from './response.ts'
import type { Target } from './targets.ts'

/** One test of the acceptance suite of Open Responses, by the name that it has there: what it asks, or why it is left out. */
export type AcceptanceTest =
  | { readonly ask: (target: Target) => Ask }
  | { readonly talk: Talk }
  | { readonly without: string }

/** The servers that the suite is held against: one of them reads images. */
export const accepting: readonly string[] = [
  'embedded',
  'llamacpp',
  'ollama',
  'huggingface, the router',
  'huggingface, scripted',
]

type Turn = readonly [role: string, content: unknown, more?: object]

const turn = ([role, content, more]: Turn) => ({ type: 'message', role, content, ...more })

interface Wanted {
  /** The recorded answer of the upstream. */
  readonly upstream: string
  readonly more?: Readonly<Record<string, unknown>>
  /** The kind of an item that the output must have. Absent: any, and the response must be complete. */
  readonly item?: string
}

const test = (turns: readonly Turn[], { upstream, more = {}, item }: Wanted): AcceptanceTest => ({
  ask(target) {
    const streams = upstream.endsWith('_stream')
    const body = { input: turns.map(turn), stream: streams, ...more }
    const ask = responseAsk(target, { about: streams ? 'streamed' : 'whole', upstream, body }, () => undefined)
    return { ...ask, check: (got) => ask.check?.(got) ?? schemaFault(got) ?? outputFault(got, item) }
  },
})

const weather = {
  tools: [
    {
      type: 'function',
      name: 'get_weather',
      description: 'Tells the weather of a place',
      parameters: { type: 'object', properties: { location: { type: 'string' } }, required: ['location'] },
    },
  ],
}
const question: Turn = ['user', "What's the weather like in San Francisco?"]
const picture = [
  { type: 'input_text', text: 'What does this picture show?' },
  { type: 'input_image', image_url: pixel },
]

const path = '/responses/compact'
const compacting: Ask = {
  about: 'a conversation',
  upstream: 'chat',
  path,
  body: {
    input: [
      turn(['user', 'The plan has three steps.']),
      turn(['assistant', 'I keep that in mind.']),
      turn(['user', 'The first is done.']),
    ],
    prompt_cache_key: 'a-plan',
  },
  check: ({ text }) => compactionFault(JSON.parse(text)),
}
const withoutModel: Ask = {
  about: 'no model',
  upstream: 'chat',
  path,
  body: '{"input":"hi"}',
  refusal: { status: 400 },
}

export const acceptanceTests: Readonly<Record<string, AcceptanceTest>> = {
  'basic-response': test([['user', 'Say hello in three words.']], { upstream: 'chat' }),
  'assistant-phase': test(
    [
      ['assistant', 'The number that I have kept is wanted.', { phase: 'commentary' }],
      ['assistant', 'The number is seven.', { phase: 'final_answer' }],
      ['user', 'Say the number again.'],
    ],
    { upstream: 'chat' },
  ),
  'streaming-response': test([['user', 'Count from 1 to 5.']], { upstream: 'chat_stream' }),
  'system-prompt': test(
    [
      ['system', 'You are a pirate, and speak like one.'],
      ['user', 'Say hello.'],
    ],
    { upstream: 'chat' },
  ),
  'tool-calling': test([question], { upstream: 'chat_tool', more: weather, item: 'function_call' }),
  'tool-calling-streaming': test([question], { upstream: 'chat_tool_stream', more: weather, item: 'function_call' }),
  'multi-turn': test(
    [
      ['user', 'My name is Alice.'],
      ['assistant', 'Hello Alice! What can I do for you?'],
      ['user', 'What is my name?'],
    ],
    { upstream: 'chat' },
  ),
  'image-input': test([['user', picture]], { upstream: 'err_image' }),
  'response-output-phase-schema': { without: 'asks no server' },
  'compact-response': { ask: () => compacting },
  'compact-missing-model': { ask: () => withoutModel },
  ...Object.fromEntries(Object.entries(talks).map(([id, talk]) => [id, { talk }])),
}

function schemaFault(got: Got): string | undefined {
  const wrong = got.streamed ? eventsIn(got.text).map(eventFault).find(Boolean) : undefined
  return wrong ?? resourceFault(responseIn(got))
}

function outputFault(got: Got, wanted: string | undefined): string | undefined {
  const { output, status } = responseIn(got)
  const types = output.map(({ type }) => type)
  if (wanted === undefined) return status === 'completed' && types.length > 0 ? undefined : `${status}: ${types}`
  if (!types.includes(wanted)) return `the output is ${types}`
  if (!got.streamed) return undefined
  const said = new Set(eventsIn(got.text).map(({ type, item }) => (item ? `${type} ${item.type}` : type)))
  return [
    `response.output_item.added ${wanted}`,
    `response.${wanted}_arguments.delta`,
    `response.${wanted}_arguments.done`,
    `response.output_item.done ${wanted}`,
  ].find((name) => !said.has(name))
}
