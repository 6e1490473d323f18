import { describe, expect, it } from 'vitest'
import { event, start as messageStart } from '../support/anthropic-events.ts'
import { ask as askWith, chat, errorOf, seeded, wordsOf } from '../support/ask.ts'
import { framesOf } from '../support/continuing.ts'
import { serveUpstreams } from '../support/gateway.ts'
import { dollar, inTime, type Paying, payingStarter } from '../support/paying.ts'
import { chatAnswer, chatFrames, json, reset, type Script, silence, stream } from '../support/upstream.ts'

const usage = { prompt_tokens: 100, completion_tokens: 50, total_tokens: 150 }
const answer = json(200, { ...(chatAnswer('hello') as object), usage })
const usageFrame = (more: object = {}) =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', choices: [], usage: { ...usage, ...more } })}\n\n`
const words = chatFrames('hel', 'lo')
const counted = stream([...words.slice(0, -1), usageFrame(), 'data: [DONE]\n\n'])
const failing = json(500, { error: { message: 'oops' } })

const { a, b, c } = serveUpstreams({ a: answer, b: answer, c: answer })
const start = payingStarter()

/** A token of input costs 1,000 nano-dollars, one of output 10,000. */
const price = { input: 1, output: 10 }
const type = 'openai-compatible'
/** What the answers above cost. */
const told = 100 * 1_000 + 50 * 10_000

const config = (): Parameters<typeof start>[0] => ({
  cooldown: false,
  timeout: 10,
  providers: {
    a: { type, baseURL: a.url },
    b: { type, baseURL: b.url },
    c: { type, baseURL: c.url },
    exact: { type, baseURL: b.url, continues: 'llamacpp' },
    anthropic: { type: 'anthropic', baseURL: a.url, apiKey: 'env:UP_KEY' },
    wordy: { type: 'deepseek', baseURL: a.url, apiKey: 'env:UP_KEY' },
  },
  models: {
    one: { deployments: [{ model: 'a/m', price }], retries: 0 },
    retried: { deployments: [{ model: 'a/m', price }], retries: 2 },
    three: { deployments: [{ model: 'a/m', price }], retries: 0, fallbacks: ['second', 'third'] },
    second: { deployments: [{ model: 'b/m', price: { input: 2, output: 20 } }], retries: 0 },
    third: { deployments: [{ model: 'c/m', price: { input: 3, output: 30 } }], retries: 0 },
    hedged: {
      deployments: [
        { model: 'a/m', price, order: 1 },
        { model: 'b/m', price, order: 2 },
      ],
      hedge: { after: 2 },
      retries: 0,
    },
    resumed: {
      deployments: [
        { model: 'a/m', price, weight: 1 },
        { model: 'exact/m', price, weight: 0 },
      ],
      resume: true,
      retries: 0,
    },
    claude: { deployments: [{ model: 'anthropic/m', price }], retries: 0 },
    wordy: { deployments: [{ model: 'wordy/m', price }], retries: 0 },
    shadowed: { deployments: [{ model: 'a/m', price }], shadow: { model: 'second', percent: 100 }, retries: 0 },
  },
})

/** After each request the books must be right: nothing is held, and all that was spent is in a row. */
async function settled(started: Paying, rows = 1, limit = dollar) {
  await expect.poll(() => started.rows.length).toBe(rows)
  const booked = started.rows.reduce((sum, row) => sum + row.booked, 0)
  expect({ held: await started.held(), spent: await started.spent() }).toEqual({ held: 0, spent: booked })
  expect(booked).toBeLessThanOrEqual(limit)
  return { booked, row: started.rows.at(-1) }
}

const streaming = (model: string) => chat(model, { stream: true, max_tokens: 100 })
const whole = (model: string, more: object = {}) => chat(model, { max_tokens: 100, ...more })
const paying = (limit = dollar) => start(config(), { budget: limit })

/** The most that one exchange may cost: what was held for a request that its client left. */
async function boundOf(body: object): Promise<number> {
  const started = await paying()
  a.script(silence)
  const stop = new AbortController()
  const pending = started.open(body, { signal: stop.signal })
  await expect.poll(() => a.seen.length).toBeGreaterThan(0)
  const held = await started.held()
  stop.abort()
  await expect(pending).rejects.toThrow()
  a.seen.length = 0
  return held
}

describe('A client that leaves', () => {
  it.each([
    ['before there are headers', silence],
    ['before there is content', stream(words.slice(0, 1), 'silence')],
  ])('%s pays the most that the request can have cost', async (_, script) => {
    const bound = await boundOf(streaming('one'))
    const started = await paying()
    a.script(script)
    const stop = new AbortController()
    const pending = started.open(streaming('one'), { signal: stop.signal })
    await expect.poll(() => a.seen.length).toBe(1)
    stop.abort()
    await expect(pending).rejects.toThrow()
    expect(await settled(started)).toMatchObject({ booked: bound, row: { outcome: 'gone', usageSource: 'bounded' } })
  })

  it('in the middle of a stream pays as much', async () => {
    const bound = await boundOf(streaming('one'))
    const started = await paying()
    a.script(stream(words.slice(0, 2), 'silence'))
    const stop = new AbortController()
    const response = await started.open(streaming('one'), { signal: stop.signal })
    await response.body?.getReader().read()
    stop.abort()
    expect(await settled(started)).toMatchObject({ booked: bound, row: { outcome: 'gone', usageSource: 'bounded' } })
  })

  it('after the last byte pays what was told', async () => {
    const started = await paying()
    a.script(counted)
    const stop = new AbortController()
    const response = await started.open(streaming('one'), { signal: stop.signal })
    await response.text()
    stop.abort()
    expect(await settled(started)).toMatchObject({ booked: told, row: { usageSource: 'reported' } })
  })
})

describe('An upstream', () => {
  it('that hangs costs the most there can be', async () => {
    const bound = await boundOf(whole('one'))
    const started = await paying()
    a.script(silence)
    const reply = await inTime(started.clock, started.ask(whole('one')))
    expect(reply.status).toBe(504)
    expect(await settled(started)).toMatchObject({ booked: bound, row: { usageSource: 'bounded' } })
  })

  it.each([
    ['before an answer', reset],
    ['in its headers', json(200, '{"id": "c", "choi')],
  ])('that cuts %s costs as much', async (_, script) => {
    const bound = await boundOf(whole('one'))
    const started = await paying()
    a.script(script)
    expect((await started.ask(whole('one'))).status).toBe(502)
    expect(await settled(started)).toMatchObject({ booked: bound })
  })

  it.each([
    ['without a word of tokens', []],
    ['after it has told some', [usageFrame({ completion_tokens: 1 })]],
  ])('that cuts a stream %s costs as much', async (_, frames) => {
    const bound = await boundOf(streaming('one'))
    const started = await paying()
    a.script(stream([...words.slice(0, 2), ...frames], 'reset'))
    await started.ask(streaming('one'))
    expect(await settled(started)).toMatchObject({ booked: bound, row: { outcome: 'cut', usageSource: 'bounded' } })
  })

  it('of another API that tells the tokens of the prompt first, and cuts then, costs as much', async () => {
    const started = await paying()
    const text = event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } })
    const delta = event('content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'hel' } })
    a.script(stream([messageStart, text, delta], 'reset'))
    await started.ask(streaming('claude'))
    const { row, booked } = await settled(started)
    expect(row).toMatchObject({ outcome: 'cut', usageSource: 'bounded', output: 100 })
    expect(booked).toBeGreaterThan(100 * 10_000)
  })

  it('that tells its tokens twice is paid once, by the last word', async () => {
    const started = await paying()
    a.script(
      stream([
        ...words.slice(0, 2),
        usageFrame({ completion_tokens: 1 }),
        ...words.slice(2, -1),
        usageFrame(),
        'data: [DONE]\n\n',
      ]),
    )
    await started.ask(streaming('one'))
    expect(await settled(started)).toMatchObject({ booked: told, row: { usageSource: 'reported' } })
  })

  it('that tells more than there can be is paid all of it, the row says so, and the budget is closed', async () => {
    const started = await paying(3_000_000)
    a.script(json(200, { ...(chatAnswer('hello') as object), usage: { prompt_tokens: 100, completion_tokens: 500 } }))
    expect((await started.ask(whole('one'))).status).toBe(200)
    const { booked } = await settled(started, 1, 6_000_000)
    expect(booked).toBe(100 * 1_000 + 500 * 10_000)
    expect(started.rows).toMatchObject([{ usageSource: 'over' }])
    const reply = await started.ask(whole('one', { max_tokens: 1 }))
    expect([reply.status, errorOf(reply).message]).toEqual([429, expect.stringContaining('$0.00 are left')])
  })
})

describe('A request that is tried several times', () => {
  it('pays for each try that may have been billed, and for the last what it told', async () => {
    const bound = await boundOf(whole('retried'))
    const started = await paying()
    a.script(reset, failing, answer)
    const reply = await inTime(started.clock, started.ask(whole('retried')))
    expect(reply.status).toBe(200)
    expect(await settled(started)).toMatchObject({ booked: 2 * bound + told, row: { cost: told } })
  })

  it.each([
    ['each time', 'retried', [200, 2 * told, 3]],
    ['once where it is not sent again', 'one', [502, told, 2]],
  ] as const)(
    'pays %s for what meets its end on a connection that was used before',
    async (_, model, [status, known, sent]) => {
      const bound = await boundOf(whole(model))
      const started = await paying()
      a.script(answer, reset, answer)
      await started.ask(whole(model))
      const reply = await inTime(started.clock, started.ask(whole(model)))
      expect([reply.status, a.seen.length]).toEqual([status, sent])
      expect(await settled(started, 2)).toMatchObject({ booked: known + bound })
    },
  )

  it('pays at each of three targets their own price', async () => {
    const bound = await boundOf(whole('three'))
    const started = await paying()
    a.script(failing)
    b.script(failing)
    const reply = await inTime(started.clock, started.ask(whole('three')))
    expect(reply.headers.get('x-samewire-model')).toBe('c/m')
    // It was held for the third, which is as dear as the other two together.
    expect((await settled(started)).booked).toBe(bound + 3 * told)
  })

  it('pays nothing for targets that refused it', async () => {
    const started = await paying()
    a.script(json(429, { error: { message: 'slow down' } }))
    b.script(json(404, { error: { message: 'The model `m` does not exist', code: 'model_not_found' } }))
    await inTime(started.clock, started.ask(whole('three')))
    expect((await settled(started)).booked).toBe(3 * told)
  })

  it('ends where the next try is too dear, and never goes over', async () => {
    const bound = await boundOf(whole('retried'))
    const limit = Math.floor(2.5 * bound)
    const started = await paying(limit)
    a.script(failing)
    const reply = await inTime(started.clock, started.ask(whole('retried')))
    const error = errorOf(reply)
    expect([reply.status, error.code]).toEqual([429, 'insufficient_quota'])
    expect(error.message).toMatch(
      /another attempt at this request may cost \$0\.0\d+ more, and the budget of key test has less/,
    )
    expect((await settled(started, 1, limit)).booked).toBe(2 * bound)
  })
})

describe('A stream with a second attempt', () => {
  it('pays for the slower one the most that it can have cost', async () => {
    const bound = await boundOf(streaming('hedged'))
    const started = await paying()
    a.script(silence)
    b.script(counted)
    const reply = await inTime(started.clock, started.ask(streaming('hedged')))
    expect([reply.status, b.seen.length]).toEqual([200, 1])
    expect((await settled(started)).booked).toBe(bound + told)
  })

  it('goes on with the first where there is too little left for another', async () => {
    const bound = await boundOf(streaming('hedged'))
    const started = await paying(bound)
    let late = () => {}
    a.script(async (...given) => {
      await new Promise<void>((resolve) => {
        late = resolve
      })
      return counted(...given)
    })
    const reply = started.ask(streaming('hedged'))
    await expect.poll(() => a.seen.length).toBe(1)
    await started.clock.advance(3_000)
    late()
    expect([(await reply).status, b.seen.length]).toEqual([200, 0])
    expect((await settled(started, 1, bound)).booked).toBe(told)
  })
})

describe('A stream that is continued elsewhere', () => {
  it('pays for both parts', async () => {
    const bound = await boundOf(streaming('one'))
    const started = await paying()
    const options = { text: 'one two three four five six seven eight' }
    a.script((request, ...more) => {
      const frames = framesOf(JSON.parse(request.body), options).split(/(?<=\n\n)/)
      return stream(frames.slice(0, 5), 'reset')(request, ...more)
    })
    b.script((request, ...more) => stream([framesOf(JSON.parse(request.body), options)])(request, ...more))
    const reply = await inTime(started.clock, started.ask(streaming('resumed')))
    expect(wordsOf(reply.text)).toBe(options.text)
    const { booked, row } = await settled(started)
    expect(row).toMatchObject({ usageSource: 'bounded' })
    expect(booked).toBeGreaterThan(bound)
    expect(booked).toBeLessThan(2 * bound)
  })
})

describe('A request that is shared out', () => {
  /** One choice, whatever is asked for. */
  const single: Script = (request, ...more) => (JSON.parse(request.body).stream ? counted : answer)(request, ...more)

  it.each([
    ['whole', {}],
    ['a stream', { stream: true }],
  ])('pays for the choices of each exchange, where the answer is %s', async (_, more) => {
    const started = await paying()
    a.script(single)
    const reply = await inTime(started.clock, started.ask(whole('one', { n: 3, ...more })))
    expect([reply.status, a.seen.length]).toEqual([200, 3])
    expect(await settled(started)).toMatchObject({ booked: 3 * told, row: { usageSource: 'reported', output: 150 } })
    // Now it is known that the upstream has one choice at once.
    await inTime(started.clock, started.ask(whole('one', { n: 3, ...more })))
    expect(await settled(started, 2)).toMatchObject({ booked: 6 * told })
  })

  it.each([1, 2, 3])('pays what %i of three streams told, and the most for the others', async (telling) => {
    // Beside the field for several answers.
    const bound = (await boundOf(streaming('one'))) + 50_000
    const started = await paying()
    const silent = stream(chatFrames('hel', 'lo'))
    let seen = 0
    a.script((...given) => (seen++ < telling ? counted : silent)(...given))
    const reply = await inTime(started.clock, started.ask(whole('one', { n: 3, stream: true })))
    expect([reply.status, a.seen.length]).toEqual([200, 3])
    const { booked, row } = await settled(started)
    expect(row).toMatchObject({ usageSource: telling === 3 ? 'reported' : 'bounded', output: telling * 50 })
    const others = booked - telling * told
    expect(others).toBeGreaterThanOrEqual((3 - telling) * 100 * 10_000)
    expect(others).toBeLessThanOrEqual((3 - telling) * bound)
  })

  it('pays the most for a part of a stream that breaks off, and for the others what they told', async () => {
    const started = await paying()
    const broken = stream(chatFrames('hel', 'lo').slice(0, 2), 'reset')
    let seen = 0
    a.script((...given) => (seen++ === 1 ? broken : counted)(...given))
    await inTime(started.clock, started.ask(whole('one', { n: 2, stream: true })))
    expect((await settled(started)).row).toMatchObject({ outcome: 'cut', usageSource: 'bounded' })
  })

  it('is answered whole, or refused before anybody is asked: the prompt is held for each exchange', async () => {
    const body = whole('one', { n: 8 })
    const poor = await paying(10_000_000)
    expect((await poor.ask(body)).status).toBe(429)
    expect([a.seen.length, await poor.spent()]).toEqual([0, 0])
    const started = await paying(14_000_000)
    a.script(single)
    expect((await inTime(started.clock, started.ask(body))).status).toBe(200)
    expect((await settled(started, 1, 14_000_000)).booked).toBe(8 * told)
  })

  it('pays for those that were answered where another one fails', async () => {
    const started = await paying()
    a.script(answer, answer, json(400, { error: { message: 'no more', type: 'invalid_request_error' } }))
    const reply = await inTime(started.clock, started.ask(whole('one', { n: 3 })))
    expect(reply.status).toBe(400)
    expect((await settled(started)).booked).toBe(2 * told)
  })
})

describe('An answer that is asked for once more', () => {
  const tools = [{ type: 'function', function: { name: 'f', parameters: { type: 'object', properties: {} } } }]
  const says = (message: object) =>
    json(200, {
      ...chatAnswer(''),
      ...{
        choices: [{ index: 0, message: { role: 'assistant', content: null, ...message }, finish_reason: 'stop' }],
        usage,
      },
    })
  const call = { id: 'call_1', type: 'function', function: { name: 'f', arguments: '{}' } }
  const required = whole('one', { tools, tool_choice: 'required' })

  it('pays for both questions', async () => {
    const started = await paying()
    a.script(says({ content: 'no' }), says({ tool_calls: [call] }))
    const reply = await inTime(started.clock, started.ask(required))
    expect([reply.status, reply.text, a.seen.length]).toEqual([200, expect.stringContaining('tool_calls'), 2])
    expect((await settled(started)).booked).toBe(2 * told)
  })

  it('pays for both where the second is no better', async () => {
    const started = await paying()
    a.script(says({ content: 'no' }))
    expect((await inTime(started.clock, started.ask(required))).status).toBe(502)
    expect((await settled(started)).booked).toBe(2 * told)
  })

  it('pays for both where it comes as a stream', async () => {
    const started = await paying()
    a.script(says({ content: '{"b": 1}' }), says({ content: '{"a": 1}' }))
    const schema = {
      type: 'object',
      properties: { a: { type: 'number' } },
      required: ['a'],
      additionalProperties: false,
    }
    const format = { type: 'json_schema', json_schema: { name: 'x', strict: true, schema } }
    const reply = await inTime(started.clock, started.ask(whole('wordy', { response_format: format, stream: true })))
    expect([reply.status, wordsOf(reply.text)]).toEqual([200, '{"a": 1}'])
    expect((await settled(started)).booked).toBe(2 * told)
  })
})

describe('A copy for another model', () => {
  it('is charged to nobody', async () => {
    const started = await paying()
    await started.ask(whole('shadowed'))
    await expect.poll(() => b.seen.length).toBe(1)
    expect((await settled(started)).booked).toBe(told)
  })
})

describe('A project with a budget', () => {
  it('is charged for the requests of all of its keys, each of which has its own besides', async () => {
    const started = await start(config(), { budget: dollar }, { limits: { budget: 5_000_000 } })
    const other = 'sk-sw-other'
    started.put(other, { id: 'key_2', name: 'two', project: 'proj_1' })
    expect((await started.ask(whole('one'))).status).toBe(200)
    const reply = await askWith(started.gateway, whole('one'), { headers: { authorization: `Bearer ${other}` } })
    expect(reply.status).toBe(200)
    const project = await started.meters.read({ subject: 'project:proj_1', window: 0 })
    expect(project).toMatchObject({ spent: 2 * told, held: 0 })
    expect(await started.spent()).toBe(told)
  })
})

describe('A small budget, whatever its upstreams do', () => {
  const tricks: readonly ((n: number) => Script)[] = [
    () => answer,
    () => counted,
    () => failing,
    () => reset,
    () => json(429, { error: { message: 'slow down' } }),
    () => json(400, { error: { message: 'no', type: 'invalid_request_error' } }),
    () => json(200, '{"id": "c", "choi'),
    () => stream(words),
    () => stream(words.slice(0, 2)),
    () => stream(words.slice(0, 2), 'reset'),
    () => stream([...words.slice(0, 2), usageFrame({ completion_tokens: 1 })], 'reset'),
    (n) => json(200, { ...(chatAnswer('hello') as object), usage: { ...usage, completion_tokens: n % 101 } }),
    () => json(200, { ...(chatAnswer('hello') as object), usage: undefined }),
  ]

  it('is never exceeded by 500 requests, 20 at once, and each has a row that says what it took', async () => {
    const limit = 60_000_000
    const started = await start({ ...config(), retries: 1 }, { budget: limit })
    const random = seeded(7)
    const play: Script = (...given) =>
      tricks[Math.floor(random() * tricks.length)]?.(Math.floor(random() * 1e6))(...given)
    for (const upstream of [a, b, c]) upstream.script(play)
    const models = ['one', 'retried', 'three', 'resumed', 'wordy']
    let most = 0
    const one = async () => {
      const model = models[Math.floor(random() * models.length)] as string
      const [n, streams, leaves] = [1 + Math.floor(random() * 3), random() < 0.5, random() < 0.1]
      const stop = new AbortController()
      const asked = started.open(whole(model, { n, stream: streams }), { signal: stop.signal })
      if (leaves) stop.abort()
      await asked.then((response) => response.text()).catch(() => '')
      most = Math.max(most, (await started.spent()) + (await started.held()))
    }
    let begun = 0
    const client = async () => {
      while (begun++ < 500) await one()
    }
    await inTime(started.clock, Promise.all(Array.from({ length: 20 }, client)))
    await expect.poll(async () => await started.held()).toBe(0)
    const { booked } = await settled(started, started.rows.length, limit)
    expect(most).toBeLessThanOrEqual(limit)
    expect(started.rows.filter(({ usageSource }) => usageSource === 'over')).toEqual([])
    // Those that left before the gateway had read them are no requests.
    expect(started.rows.length).toBeGreaterThan(440)
    expect(new Set(started.rows.map(({ id }) => id)).size).toBe(started.rows.length)
    expect(booked).toBeGreaterThan(limit / 2)
  })
})
