import fc from 'fast-check'

type Json = Record<string, unknown>

/** A message of the assistant as a chat has it. */
export interface ChatMessage extends Json {
  readonly role: 'assistant'
  readonly content: string | null
  readonly reasoning_content?: string
  readonly reasoning_details?: readonly Json[]
  readonly tool_calls?: readonly ChatCall[]
}

export interface ChatCall extends Json {
  readonly id: string
  readonly function: { readonly name: string; readonly arguments: string }
}

/** The same message whole, and in the pieces in which it may be streamed: `at` says where texts are cut. */
export interface ChatTurn {
  readonly message: ChatMessage
  deltas(at: readonly number[]): readonly object[]
}

export const words = fc.string({ minLength: 1, unit: 'grapheme' })
export const cuts = fc.array(fc.nat(50), { maxLength: 4 })
const input = fc
  .dictionary(fc.stringMatching(/^[a-z]{1,5}$/), fc.jsonValue())
  .map((value) => JSON.parse(JSON.stringify(value)) as Json)
/** What a turn calls, with the ids that its calls have. */
export const uses = fc
  .array(fc.record({ name: fc.constantFrom('f', 'g'), input }), { maxLength: 3 })
  .map((all) => all.map((use, at) => ({ id: `call_${at}`, ...use })))

const said = fc.record({ text: fc.option(words), calls: uses })
const signed = fc.record({ type: fc.constant('reasoning.text'), text: fc.string(), signature: words })
const hidden = fc.record({ type: fc.constant('reasoning.encrypted'), data: words })

/** A turn of Claude: thoughts that are signed or hidden, of which the text is told once more. */
const claudes = fc
  .tuple(said, fc.array(fc.oneof(signed, hidden), { maxLength: 3 }))
  .map(([rest, thoughts]) => turnOf(rest, { details: of('anthropic-claude-v1', thoughts), thought: textOf(thoughts) }))

/** A turn of Gemini: signatures on calls, which are told twice, and of the text. */
const geminis = fc
  .tuple(said, fc.option(words), fc.array(fc.option(words), { minLength: 4, maxLength: 4 }))
  .map(([rest, thought, [own, ...signatures]]) => {
    const onCalls = rest.calls.flatMap(({ id }, at) => (signatures[at] ? [[id, signatures[at]] as const] : []))
    const details = [...onCalls.map(([id, data]) => ({ ...encrypted(data), id })), ...(own ? [encrypted(own)] : [])]
    const extras = new Map(onCalls.map(([id, data]) => [id, { google: { thought_signature: data } }]))
    return turnOf(rest, { details: of('google-gemini-v1', details), thought: thought ?? '', extras, isLate: true })
  })

/** A turn of one of OpenAI's models by way of OpenRouter: a summary, and what belongs to it. */
const openais = fc.tuple(said, fc.option(fc.tuple(words, words))).map(([rest, thought]) => {
  const [summary = '', data = ''] = thought ?? []
  const details = thought
    ? [
        { type: 'reasoning.summary', summary },
        { ...encrypted(data), id: 'rs_1' },
      ]
    : []
  return turnOf(rest, { details: of('openai-responses-v1', details), thought: summary })
})

/** A turn of any model, with what that needs back. */
export const chatTurns = fc
  .oneof(claudes, geminis, openais)
  .filter(({ message: { content, tool_calls: calls } }) => content !== null || calls !== undefined)

const encrypted = (data: string) => ({ type: 'reasoning.encrypted', data })

function of(format: string, details: readonly object[]): readonly Json[] {
  return details.map((detail, index) => ({ ...detail, format, index }))
}

function textOf(thoughts: readonly object[]): string {
  return thoughts
    .flatMap((thought) => ('text' in thought && thought.text !== '' ? [String(thought.text)] : []))
    .join('\n\n')
}

interface Thinking {
  readonly details: readonly Json[]
  readonly thought: string
  readonly extras?: ReadonlyMap<string, object>
  /** Whether details come after what they belong to. */
  readonly isLate?: boolean
}

type Saying = typeof said extends fc.Arbitrary<infer Value> ? Value : never

function turnOf({ text, calls }: Saying, { details, thought, extras, isLate = false }: Thinking): ChatTurn {
  const called = calls.map(({ id, name, input }) => ({
    ...{ id, type: 'function', function: { name, arguments: JSON.stringify(input) } },
    ...(extras?.has(id) && { extra_content: extras.get(id) }),
  }))
  const message: ChatMessage = {
    role: 'assistant',
    content: text,
    ...(thought !== '' && { reasoning_content: thought }),
    ...(details.length > 0 && { reasoning_details: details }),
    ...(called.length > 0 && { tool_calls: called }),
  }
  return { message, deltas: (at) => deltasOf(message, at, isLate) }
}

/** The pieces in which a chat may stream a message. `isLate`: whether details come after what they belong to. */
export function deltasOf(message: ChatMessage, at: readonly number[], isLate = false): readonly object[] {
  const { content, reasoning_content: thought = '', reasoning_details: details = [], tool_calls: calls = [] } = message
  const repeats = details.some((detail) => 'text' in detail)
  const thoughts = [
    ...(repeats ? [] : cut(thought, at).map((piece) => ({ reasoning_content: piece }))),
    ...details.flatMap((detail, place) => detailDeltas(detail, at, repeats && details.slice(0, place).some(hasText))),
  ]
  const spoken = cut(content ?? '', at).map((piece) => ({ content: piece }))
  const called = calls.flatMap((call, index) => callDeltas(call, index, at))
  return isLate ? [...spoken, ...called, ...thoughts] : [...thoughts, ...spoken, ...called]
}

const hasText = ({ text }: Json) => typeof text === 'string' && text !== ''

/** `follows`: whether the text of another detail came before. */
function detailDeltas(detail: Json, at: readonly number[], follows: boolean): readonly object[] {
  const { text, summary, signature, ...rest } = detail
  if (typeof summary === 'string') {
    return cut(summary, at).map((piece) => ({ reasoning_details: [{ ...rest, summary: piece }] }))
  }
  if (typeof text !== 'string') return [{ reasoning_details: [detail] }]
  const pieces = cut(text, at).map((piece, place) => ({
    reasoning_content: follows && place === 0 ? `\n\n${piece}` : piece,
    reasoning_details: [{ ...rest, text: piece }],
  }))
  return [...pieces, { reasoning_details: [{ ...rest, ...(text === '' && { text }), signature }] }]
}

function callDeltas({ function: called, ...call }: ChatCall, index: number, at: readonly number[]): readonly object[] {
  const { name, arguments: json } = called
  const pieces = cut(json, at).map((piece) => ({ index, function: { arguments: piece } }))
  return [{ index, ...call, function: { name, arguments: '' } }, ...pieces].map((piece) => ({ tool_calls: [piece] }))
}

/** Cuts a text at these places, none of which leaves nothing. */
function cut(whole: string, at: readonly number[]): string[] {
  const characters = [...whole]
  const places = at.map((place) => place % (characters.length + 1)).sort((one, other) => one - other)
  const ends = [...places, characters.length]
  return ends.map((end, index) => characters.slice(ends[index - 1] ?? 0, end).join('')).filter((piece) => piece !== '')
}
