import { beforeEach, describe, expect, it } from 'vitest'
import { errorOf, until } from '../support/ask.ts'
import { runtimes, startBoth } from '../support/both.ts'
import { answering, cutAt, firstContentEnd, framesOf } from '../support/continuing.ts'
import { duringTests } from '../support/during-tests.ts'
import { serveUpstreams } from '../support/gateway.ts'
import { asking, deltasOf, lastOf, readEvents, readResponse } from '../support/response-events.ts'
import { chatAnswer, chatFrames, chunk, json, type Script, silence, stream } from '../support/upstream.ts'

const text = 'The quick brown fox jumps over the lazy dog.'
const { first, rest, shadow } = serveUpstreams({
  first: undefined,
  rest: answering({ text }),
  shadow: json(200, chatAnswer('copied')),
})

const both = duringTests(() =>
  startBoth(
    'responses-layers',
    {
      cooldown: false,
      retries: 0,
      providers: {
        first: { type: 'openai-compatible', baseURL: first.url },
        rest: { type: 'openai-compatible', baseURL: rest.url, continues: 'llamacpp' },
        shadow: { type: 'openai-compatible', baseURL: shadow.url },
        schemaless: { type: 'huggingface', apiKey: 'env:KEY', endpointUrl: first.url, engine: 'transformers' },
      },
      models: {
        resumed: { deployments: ['first/m', { model: 'rest/m', weight: 0 }], resume: true },
        hedged: { deployments: ['first/m', { model: 'rest/m', weight: 0 }], hedge: { after: 0.05 } },
        relieved: { deployments: ['first/m'], fallbacks: ['rest/m'] },
        mirrored: { deployments: ['first/m'], shadow: { model: 'shadow/m', percent: 100 } },
        callers: { deployments: [{ model: 'first/m', supports: { tools: false } }], fallbacks: ['rest/m'] },
        several: { deployments: [{ model: 'first/m', params: { n: 2 } }] },
      },
    },
    { KEY: 'k' },
  ),
)

describe.each(runtimes)('On %s, a response made of a chat', (runtime) => {
  const ask = (model: string, more: object = {}) => both.ask(runtime, asking(model, 'hi', more), '/responses')
  const streamed = async (model: string, more: object = {}) => {
    const reply = await ask(model, { stream: true, ...more })
    return { events: readEvents(reply.text), reply }
  }

  beforeEach(() => {
    shadow.seen.length = 0
  })

  it('is continued by another deployment where it breaks off', async () => {
    const whole = framesOf({ messages: [], stream_options: { include_usage: true } }, { text })
    first.script(cutAt(whole, firstContentEnd(whole), 'close'))
    const { events, reply } = await streamed('resumed')
    expect(reply.text).toMatch(/\n\n: x-samewire-continued: rest\/m\n\nevent: /)
    expect(deltasOf(events, 'output_text.delta')).toBe(text)
    expect(lastOf(events)).toMatchObject({ status: 'completed', output: [{ content: [{ text }] }] })
  })

  it('comes from another deployment that is faster', async () => {
    first.script(silence)
    const { events, reply } = await streamed('hedged')
    expect(reply.headers.get('x-samewire-model')).toBe('rest/m')
    expect(deltasOf(events, 'output_text.delta')).toBe(text)
  })

  const inner = { type: 'function', name: 'f', parameters: { type: 'object' } }
  it.each([
    ['brings tools in its input', [], [{ type: 'additional_tools', role: 'developer', tools: [inner] }], 'rest/m'],
    ['brings an empty namespace only', [{ type: 'namespace', name: 'n', tools: [] }], [], 'first/m'],
    ['brings one that holds a function', [{ type: 'namespace', name: 'n', tools: [inner] }], [], 'rest/m'],
  ])('comes from a deployment that calls tools if it needs one: it %s', async (_what, tools, items, expected) => {
    first.script(json(200, chatAnswer('Hello')))
    const reply = await ask('callers', { tools, input: [...items, { role: 'user', content: 'hi' }] })
    expect(reply.headers.get('x-samewire-model')).toBe(expected)
  })

  it('comes from another deployment when the first one fails', async () => {
    first.script(json(500, { error: { message: 'broken' } }))
    const { events, reply } = await streamed('relieved')
    expect(reply.headers.get('x-samewire-model')).toBe('rest/m')
    expect(deltasOf(events, 'output_text.delta')).toBe(text)
  })

  describe('with a schema that the upstream would ignore', () => {
    const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }
    const more = { text: { format: { type: 'json_schema', name: 'city', schema } } }
    const right = '{"city":"Paris"}'
    const saying = (...answers: string[]): Script[] => answers.map((answer) => json(200, chatAnswer(answer)))

    it('is asked for once more with what is wrong', async () => {
      first.script(...saying('{"town":"Paris"}', right))
      first.seen.length = 0
      const response = readResponse((await ask('schemaless/m', more)).text)
      expect(response).toMatchObject({ output: [{ content: [{ text: right }] }], usage: { total_tokens: 10 } })
      expect(first.seen.filter(({ method }) => method === 'POST')).toHaveLength(2)
    })

    it('is streamed when the whole answer fits', async () => {
      first.script(...saying('no JSON', right))
      const { events } = await streamed('schemaless/m', more)
      expect(deltasOf(events, 'output_text.delta')).toBe(right)
      expect(lastOf(events)).toMatchObject({ status: 'completed', usage: { total_tokens: 10 } })
    })

    it('isn’t told as kept to if it wasn’t, and the failure names the client’s field', async () => {
      first.script(...saying('no', 'JSON'))
      expect(errorOf(await ask('schemaless/m', more))).toMatchObject({ param: 'text.format' })
    })
  })

  it.each([false, true])('is copied to a shadow as a chat (streamed: %s)', async (isStream) => {
    first.script(isStream ? stream(chatFrames('Hello')) : json(200, chatAnswer('Hello')))
    await ask('mirrored', { stream: isStream })
    await until(() => shadow.seen.length > 0)
    expect(shadow.seen[0]?.path).toBe('/chat/completions')
    expect(JSON.parse(shadow.seen[0]?.body ?? '')).toMatchObject({ messages: [{ role: 'user', content: 'hi' }] })
  })

  it('is that of the first choice where the configuration asks for several', async () => {
    const choice = (index: number, content: string) => ({
      index,
      message: { role: 'assistant', content },
      finish_reason: 'stop',
    })
    first.script(json(200, { ...chatAnswer(''), choices: [choice(1, 'other'), choice(0, 'this')] }))
    expect(readResponse((await ask('several')).text).output).toMatchObject([{ content: [{ text: 'this' }] }])
    const piece = (index: number, delta: object, finish: string | null = null) =>
      chunk(delta, finish).replace('"index":0', `"index":${index}`)
    const pieces = [piece(1, { content: 'ot' }), piece(0, { content: 'th' }), piece(1, { content: 'her' })]
    const ends = [piece(0, { content: 'is' }), piece(0, {}, 'stop'), piece(1, {}, 'length'), 'data: [DONE]\n\n']
    first.script(stream([...pieces, ...ends]))
    const { events } = await streamed('several')
    expect(deltasOf(events, 'output_text.delta')).toBe('this')
    expect(lastOf(events).status).toBe('completed')
  })
})
