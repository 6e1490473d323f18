import type { Said } from '../../contract/read.ts'
import { type Check, calls, losesThoughts, obeys, sees, speaks, thinks, withObedience } from '../cases/said.ts'
import type { Got } from '../cells.ts'
import type { Target } from '../targets.ts'
import type { Conversation, DialectAsk, DialectCases, Question } from './dialect.ts'
import { answerErrors } from './errors.ts'

/** What the scripted model does, and the tiny one needn't: it says `pong`. */
const order = 'Say pong.'
/** Long enough to be seen in a count of tokens. */
const system = Array(20).fill(order).join(' ')

const questions = {
  chat: { text: 'hi' },
  chat_tool: { text: 'weather in Paris?', tools: true },
  chat_tool_parallel: { text: 'weather in Paris and Rome?', tools: true },
  chat_tool_result: { text: 'weather in Tokyo?', tools: true, result: 'sunny' },
  chat_json_schema: { text: 'hi', schema: true },
  chat_reasoning: { text: 'ping /think', thinks: true },
  chat_stop_seq: { text: 'count from 1 to 20', stops: [', 5'] },
  chat_length: { text: 'Tell me a story', most: 5 },
} as const satisfies Readonly<Record<string, Question>>

/** The cases of a route that asks a model for an answer: all of it whole and streamed. */
export function conversationCases(api: Conversation): DialectCases {
  const asked = (label: string, question: Question, streams: boolean, check: Check): DialectAsk | undefined => {
    const body = api.body(question, streams)
    if (!body) return undefined
    return {
      about: streams ? 'streamed' : 'whole',
      upstream: streams ? `${label}_stream` : label,
      path: api.path(streams),
      body,
      ...(streams && { type: api.streamType }),
      check: (got) => api.formFault(got) ?? check(saidIn(got)),
    }
  }
  const saidIn = ({ text }: Got): Said => {
    const said = api.read(text)
    if (!said) throw new Error(`it says nothing: ${text.slice(0, 200)}`)
    return said
  }
  const bothWays = (label: keyof typeof questions, check: Check, question: Question = questions[label]) => {
    const asks = [asked(label, question, false, check), asked(label, question, true, check)].filter(
      (ask) => ask !== undefined,
    )
    return asks.length > 0 ? asks : undefined
  }
  const plain = (streams: boolean) => {
    const ask = asked('chat', questions.chat, streams, speaks)
    return ask ? [ask] : undefined
  }
  return {
    plain: () => plain(false),
    stream: () => plain(true),
    tools: () => bothWays('chat_tool', calls(1)),
    'parallel tools': () => bothWays('chat_tool_parallel', calls(2)),
    'tool result': () => bothWays('chat_tool_result', mentions('sunny')),
    'tool choice': (target) => {
      // The scripted model calls what it isn't asked for only if it must.
      const text = target.server === 'scripted' ? 'hi' : 'weather in Rome?'
      const forced = (choice: 'any' | 'get_weather') => bothWays('chat_tool', calls(1), { text, tools: true, choice })
      const [some = [], named = []] = [forced('any'), forced('get_weather')]
      const asks = [...some, ...named]
      return asks.length > 0 ? asks.map((ask) => relabelled(ask, 'chat_tool_required')) : undefined
    },
    schema: (target) => bothWays('chat_json_schema', obeys)?.map((ask) => withObedience(target, ask)),
    reasoning: (target) => (losesThoughts(target) ? undefined : bothWays('chat_reasoning', thinks)),
    vision: (target) =>
      bothWays('chat', sees(target), { text: 'x', image: true })?.map((ask) => ({ ...ask, upstream: 'err_image' })),
    system: (target) =>
      bothWays('chat', (said) => (target.server === 'scripted' ? says('pong')(said) : speaks(said)), {
        text: 'hi',
        system,
      })?.map((ask) => heeding(target, { ...ask, reaches: order })),
    stop: (target) =>
      bothWays('chat_stop_seq', stopped(target))?.map((ask) => ({
        ...recordedOr(target, ask, 'chat'),
        reaches: JSON.stringify(questions.chat_stop_seq.stops[0]),
        check: (got) => ask.check?.(got) ?? api.stopFault?.(got, target),
      })),
    length: () => bothWays('chat_length', cut),
    errors: (target) => answerErrors(api, target, questions.chat),
  }

  /** The model in the process can't be watched: its count tells whether it has read all. */
  function heeding(target: Target, ask: DialectAsk): DialectAsk {
    if (target.server !== 'embedded') return ask
    return {
      ...ask,
      check({ text }) {
        const tokens = api.promptTokens(text)
        return tokens > system.split(' ').length ? undefined : `the prompt has ${tokens} tokens`
      },
    }
  }
}

function relabelled(ask: DialectAsk, label: string): DialectAsk {
  return { ...ask, upstream: ask.about === 'streamed' ? `${label}_stream` : label }
}

/** Where the server was not recorded with it, another answer: then it matters what the server was told. */
function recordedOr(target: Target, ask: DialectAsk, other: string): DialectAsk {
  return isRecorded(target, String(ask.upstream)) ? ask : relabelled(ask, other)
}

function isRecorded({ subject, server }: Target, label: string): boolean {
  return server !== 'recorded' || (subject?.recordings.cases.some((one) => one.label === label) ?? false)
}

const says =
  (word: string): Check =>
  ({ content }) =>
    content === word ? undefined : `it says ${content}`

const mentions =
  (word: string): Check =>
  (said) =>
    said.content.includes(word) ? speaks(said) : `it says ${said.content}`

const stopped =
  (target: Target): Check =>
  (said) => {
    if (!isRecorded(target, 'chat_stop_seq')) return speaks(said)
    return /4$/.test(said.content.trim()) ? speaks(said) : `it says ${said.content}`
  }

const cut: Check = ({ content, finish }) =>
  content !== '' && finish === 'length' ? undefined : `it says ${content} and stops for ${finish}`
