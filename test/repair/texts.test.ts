import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { TextReading } from '../../src/core/wire-context.ts'
import { chat } from '../../src/operations/chat.ts'
import { accumulateChat } from '../../src/operations/choices/accumulate.ts'
import { isObject, type JsonObject } from '../../src/wire/json.ts'
import { usually } from '../support/usually.ts'
import { plain, tools, type Written, written } from './textual-forms.ts'

const repair = await chat.repair?.load()

const reading: TextReading = { thinkTags: undefined, textualCalls: true }
const contextOf = (body: JsonObject, model = 'm', texts = reading) => {
  let seed = 0
  const next = () => {
    seed = (seed + 0.0137) % 1
    return seed
  }
  return { body, model, id: 'chatcmpl-1', created: 1, random: next, texts }
}
type Context = ReturnType<typeof contextOf>

const head = { id: 'chatcmpl-1', created: 1_700_000_000, model: 'm' }
const asked = contextOf({ tools })

/** What comes of a whole answer with this text. */
function whole(content: string, context: Context = asked, finish = 'stop'): JsonObject {
  const choice = { index: 0, message: { role: 'assistant', content }, finish_reason: finish }
  return repair?.answer({ ...head, object: 'chat.completion', choices: [choice] }, context) ?? {}
}

/** What comes of a stream with this text in these pieces. */
function streamed(pieces: readonly string[], context: Context = asked, finish = 'stop'): JsonObject {
  const mender = repair?.stream?.(context)
  const object = 'chat.completion.chunk'
  const deltas = [{ role: 'assistant' }, ...pieces.map((content) => ({ content })), {}]
  const chunks = deltas.flatMap((delta, at) => {
    const finish_reason = at === deltas.length - 1 ? finish : null
    const data = JSON.stringify({ ...head, object, choices: [{ index: 0, delta, finish_reason }] })
    const mended = mender?.mend({ data, event: '' } as never)
    return typeof mended === 'string' ? [data] : (mended ?? []).flatMap(eventsIn)
  })
  const parsed = [...chunks, ...(mender?.end() ?? []).flatMap(eventsIn)].map((text) => JSON.parse(text) as JsonObject)
  return accumulateChat(parsed, { ...head, random: asked.random, body: {} })
}

function eventsIn(bytes: Uint8Array): string[] {
  const text = new TextDecoder().decode(bytes)
  return text.startsWith('data: ') ? [text.slice(6)] : []
}

function said(answer: JsonObject): Omit<Written, 'what' | 'text'> & { finish: unknown } {
  const [choice] = answer.choices as JsonObject[]
  const message = choice?.message as JsonObject
  const calls = ((message.tool_calls ?? []) as { id: string; type: string; function: Record<string, string> }[]).map(
    ({ id, type, function: { name = '', arguments: text = '' } }) => {
      expect([id, type]).toEqual([expect.stringMatching(/^call_\w{24}$/), 'function'])
      return [name, text] as const
    },
  )
  return {
    content: String(message.content ?? ''),
    reasoning: String(message.reasoning_content ?? ''),
    calls,
    finish: choice?.finish_reason,
  }
}

const expected = ({ content = '', reasoning = '', calls = [] }: Partial<Written>) => ({
  content,
  reasoning,
  calls,
  finish: calls.length > 0 ? 'tool_calls' : 'stop',
})

/** A text in pieces, cut anywhere between two UTF-16 units. */
const piecesOf = (text: string) =>
  fc
    .uniqueArray(fc.integer({ min: 1, max: Math.max(1, text.length - 1) }), { maxLength: 12 })
    .map((cuts) => [0, ...cuts.sort((a, b) => a - b), text.length])
    .map((at) => at.slice(1).map((end, index) => text.slice(at[index], end)))

describe('A text', () => {
  it.each(written)('of $what is told apart, whole and streamed in any pieces', (form) => {
    expect(said(whole(form.text))).toEqual(expected(form))
    expect(said(streamed([...form.text])), 'one by one').toEqual(expected(form))
    fc.assert(
      fc.property(piecesOf(form.text), (pieces) => {
        expect(said(streamed(pieces))).toEqual(expected(form))
      }),
    )
  })

  it.each(plain)('that is no call goes out as it is, whole and streamed in any pieces: %j', (text) => {
    expect(said(whole(text))).toEqual(expected({ content: text }))
    expect(said(streamed([...text])), 'one by one').toEqual(expected({ content: text }))
    fc.assert(
      fc.property(piecesOf(text), (pieces) => {
        expect(said(streamed(pieces))).toEqual(expected({ content: text }))
      }),
    )
  })

  it('made of marks and words says the same whole and streamed, and loses nothing but white space', () => {
    const words = [
      '<tool_call>',
      '</tool_call>',
      '<function=now>',
      '</function>',
      '[TOOL_CALLS]',
      '{"name":"now"',
      ',"arguments":{}}',
      '"',
      '{',
      '}',
      '[',
      ']',
      ' ',
      '\n',
      'a',
      '<',
      '</',
      '<|python_tag|>',
      'now',
      '{}',
      '<parameter=x>',
      '</parameter>',
    ]
    const text = fc.array(fc.constantFrom(...words), { maxLength: 12 }).map((list) => list.join(''))
    const cut = text.chain((one) => fc.tuple(fc.constant(one), piecesOf(one)))
    fc.assert(
      fc.property(cut, ([one, pieces]) => {
        const answer = said(whole(one))
        expect(said(streamed(pieces))).toEqual(answer)
        if (answer.calls?.length === 0) expect(answer.content).toBe(one)
      }),
      { numRuns: usually(500, 3_000) },
    )
  })

  it.each(written.filter(({ calls }) => calls))(
    'of $what stays as it is without tools, with tool_choice none, or where calls are not read',
    ({ text }) => {
      if (text.startsWith('<think>')) return
      for (const context of [
        contextOf({}),
        contextOf({ tools, tool_choice: 'none' }),
        contextOf({ tools }, 'm', { ...reading, textualCalls: false }),
      ]) {
        expect(said(whole(text, context))).toEqual(expected({ content: text }))
        expect(said(streamed([...text], context))).toEqual(expected({ content: text }))
      }
    },
  )

  it('keeps its finish reason where a call was cut', () => {
    const text = '<tool_call>\n{"name": "get_weather", "argu'
    expect(said(whole(text, asked, 'length'))).toEqual({ ...expected({ content: text }), finish: 'length' })
    expect(said(streamed([...text], asked, 'length'))).toEqual({ ...expected({ content: text }), finish: 'length' })
  })

  it('of a call of megabytes, or of marks alone, is read in no more time than it takes to pass', () => {
    const long = 'x'.repeat(1_000_000)
    const call = `<tool_call>{"name": "get_weather", "arguments": {"city": "${long}"}}</tool_call>`
    const pieces = call.match(/[\s\S]{1,8}/g) ?? []
    expect(said(streamed(pieces)).calls).toEqual([['get_weather', `{"city": "${long}"}`]])
    for (const mark of ['<tool_call>', '<tool_call>{', '<function=now>', '[TOOL_CALLS]{', '<parameter=x>', '<think>']) {
      const text = `a${mark.repeat(20_000)}`
      expect(said(whole(text)).content === text, mark).toBe(true)
    }
    const open = `<tool_call><function=now>${'<parameter=x>'.repeat(50_000)}</function></tool_call>`
    expect(said(whole(open)).content === open).toBe(true)
  })
})

describe('A thought', () => {
  const tagless = 'Hm.\n</think>\n\nHello'

  it.each(['deepseek-ai/DeepSeek-R1', 'Qwen/QwQ-32B', 'Qwen/Qwen3-30B-A3B-Thinking-2507'])(
    'needs no opening tag from %s, whose template has written it',
    (model) => {
      const context = contextOf({}, model)
      for (const answer of [whole(tagless, context), streamed([...tagless], context)])
        expect(said(answer)).toEqual(expected({ content: 'Hello', reasoning: 'Hm.\n' }))
    },
  )

  it('needs none where the configuration says so, and else it does', () => {
    const implied = contextOf({}, 'm', { ...reading, thinkTags: 'implied' })
    expect(said(streamed([...tagless], implied))).toEqual(expected({ content: 'Hello', reasoning: 'Hm.\n' }))
    expect(said(streamed([...tagless], contextOf({})))).toEqual(expected({ content: tagless }))
  })

  it('stays text where the configuration says so', () => {
    const off = contextOf({}, 'deepseek-r1', { ...reading, thinkTags: false })
    for (const text of [tagless, '<think>Hm.</think>Hello'])
      for (const answer of [whole(text, off), streamed([...text], off)])
        expect(said(answer)).toEqual(expected({ content: text }))
  })

  it('that was the answer after all is said as the answer', () => {
    const context = contextOf({ tools }, 'deepseek-r1')
    for (const text of ['Hello', '[1] Hello']) expect(said(whole(text, context))).toEqual(expected({ content: text }))
    expect(said(streamed(['Hel', 'lo'], context))).toEqual(expected({ content: 'Hello', reasoning: 'Hello' }))
    const call = '<tool_call>{"name": "now"}</tool_call>'
    expect(said(whole(call, context))).toEqual(expected({ calls: [['now', '{}']] }))
    expect(said(streamed([...call], context))).toMatchObject({
      content: '',
      calls: [['now', '{}']],
      finish: 'tool_calls',
    })
  })

  it('that was cut is a thought', () => {
    const context = contextOf({}, 'deepseek-r1')
    for (const answer of [whole('Hm', context, 'length'), streamed(['H', 'm'], context, 'length')])
      expect(said(answer)).toEqual({ ...expected({ reasoning: 'Hm' }), finish: 'length' })
  })

  it.each([
    { reasoning: { exclude: true } },
    { reasoning_effort: 'none' },
    { chat_template_kwargs: { enable_thinking: false } },
  ])('is not expected without a tag from a request with %j', (body) => {
    expect(said(streamed(['Hel', 'lo'], contextOf(body, 'deepseek-r1')))).toEqual(expected({ content: 'Hello' }))
  })

  it('under another name has its usual one too, and keeps the other', () => {
    for (const name of ['reasoning', 'thinking']) {
      const message = {
        role: 'assistant',
        content: '<think>quoted',
        [name]: 'Hm.',
        reasoning_details: [{ text: 'Hm.' }],
      }
      const choice = { index: 0, message, finish_reason: 'stop' }
      const { choices } = repair?.answer({ ...head, object: 'chat.completion', choices: [choice] }, asked) ?? {}
      expect((choices as JsonObject[])[0]?.message).toEqual({ ...message, reasoning_content: 'Hm.' })
    }
  })
})

describe('The mender of a stream', () => {
  const event = (delta: JsonObject) => ({
    data: JSON.stringify({
      ...head,
      object: 'chat.completion.chunk',
      choices: [{ index: 0, delta, finish_reason: null }],
    }),
    event: 'message',
  })

  it('needs to see no further text once it has begun with something else, unless there are tools', () => {
    for (const [context, verdict] of [
      [contextOf({}), 'pass'],
      [asked, 'look'],
    ] as const) {
      const mender = repair?.stream?.(context)
      expect(mender?.mend(event({ role: 'assistant', content: '' }))).toSatisfy((told) => typeof told === 'string')
      expect(mender?.mend(event({ content: 'Hello' }))).toBe(verdict)
    }
  })

  it('adds the usual name to reasoning under another one, in each delta', () => {
    const mender = repair?.stream?.(contextOf({}))
    const told = ['a', 'b'].map((reasoning) => mender?.mend(event({ role: 'assistant', reasoning, content: '' })))
    const deltas = told.flat().map((bytes) => JSON.parse(eventsIn(bytes as Uint8Array)[0] ?? '{}').choices[0].delta)
    expect(deltas).toEqual([
      { role: 'assistant', reasoning: 'a', content: '', reasoning_content: 'a' },
      { role: 'assistant', reasoning: 'b', content: '', reasoning_content: 'b' },
    ])
    expect(mender?.mend(event({ content: 'c' }))).toBe('pass')
    expect(isObject(asked.body)).toBe(true)
  })

  it('leaves a text alone after calls that the upstream has told apart', () => {
    const mender = repair?.stream?.(asked)
    const call = { index: 0, id: 'call_a', type: 'function', function: { name: 'now', arguments: '{}' } }
    mender?.mend(event({ role: 'assistant', tool_calls: [call] }))
    expect(mender?.mend(event({ content: '<tool_call>{"name": "now"}</tool_call>' }))).toBe('pass')
  })
})
