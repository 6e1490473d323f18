import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { chat, contentOf, errorOf, wordsOf } from '../support/ask.ts'
import { type LiveProgram, startLive } from '../support/live.ts'
import { chatAnswer, chatFrames, type FakeUpstream, fakeUpstream, json, type Script } from '../support/upstream.ts'

/** Says which of its models was asked. */
const naming: Script = (request, response, socket) => {
  if (request.method === 'GET') return json(404, {})(request, response, socket)
  const { model } = JSON.parse(request.body) as { model: string }
  json(200, chatAnswer(model))(request, response, socket)
}

let upstream: FakeUpstream
beforeAll(async () => {
  upstream = await fakeUpstream(naming)
})
afterAll(() => upstream.close())

const configOf = (model: string) => ({
  providers: { lab: { type: 'openai-compatible', baseURL: upstream.url } },
  models: { m: `lab/${model}` },
})

const post = (body: unknown = {}) => ({ method: 'POST', body: JSON.stringify(body) })

/** What the model `m` is now. */
async function served(live: LiveProgram): Promise<string | undefined> {
  const reply = await live.request('/v1/chat/completions', {
    ...post(chat('m')),
    headers: { 'content-type': 'application/json' },
  })
  return contentOf(reply.text)
}

describe('A gateway whose configuration changes', () => {
  let live: LiveProgram
  beforeAll(async () => {
    live = await startLive(configOf('one'))
  })
  afterAll(() => live.close())

  it('has it in force without a restart once the file is written', async () => {
    expect(await served(live)).toBe('one')
    const { hash } = await live.config()
    const shown = await live.rewrite(configOf('two'))
    expect(await served(live)).toBe('two')
    expect(shown).toMatchObject({
      source: live.path,
      config: { models: { m: 'lab/two' } },
      differs_from_file: false,
      last_reload: { cause: 'file', outcome: 'applied', problems: [] },
      earlier: [{ hash }],
    })
    expect(shown.hash).not.toBe(hash)
  })

  it('keeps the one in force where the new one can’t be used, and tells all that is wrong', async () => {
    const before = await live.config()
    const wrong = { ...configOf('three'), timeout: -1, fallback: 'nothing' }
    const shown = await live.rewrite(wrong)
    expect(await served(live)).toBe('two')
    expect(shown).toMatchObject({ hash: before.hash, differs_from_file: true, last_reload: { outcome: 'kept' } })
    const { problems } = shown.last_reload ?? { problems: [] }
    expect(problems.map((problem) => problem.split(':')[0])).toEqual(['fallback', 'timeout'])
    for (const problem of problems) await live.program.until(new RegExp(RegExp.escape(problem)))
  })

  it('keeps it where the file is only half written, or gone', async () => {
    expect((await live.rewrite('{"providers": {')).last_reload?.problems).toEqual([expect.stringMatching(/JSON/)])
    expect(await served(live)).toBe('two')
  })

  it('has the next right one in force', async () => {
    const shown = await live.rewrite(configOf('four'))
    expect(shown).toMatchObject({ differs_from_file: false, last_reload: { outcome: 'applied' } })
    expect(await served(live)).toBe('four')
  })

  it('reads it again at SIGHUP, and says if it is the same', async () => {
    live.program.signal('SIGHUP')
    await live.program.until(/was read again \(signal\) and says the same/)
    expect((await live.config()).last_reload).toMatchObject({ cause: 'signal', outcome: 'unchanged' })
  })

  it('returns to the one before, and further, when it is told to', async () => {
    const { hash } = await live.config()
    for (const model of ['two', 'one']) {
      const reply = await live.request('/admin/config/rollback', post())
      expect([reply.status, JSON.parse(reply.text)]).toEqual([
        200,
        expect.objectContaining({ object: 'config.reload', outcome: 'applied', cause: 'rollback' }),
      ])
      expect(await served(live)).toBe(model)
    }
    const nothing = await live.request('/admin/config/rollback', post())
    expect([nothing.status, errorOf(nothing).code]).toEqual([404, 'unknown_configuration'])
    const shown = await live.config()
    expect(shown).toMatchObject({ differs_from_file: true, earlier: [{ hash }, {}] })
    await live.program.until(/says something else; what it says is read when it next changes/)
    expect((await live.request('/admin/config/rollback', post({ hash }))).status).toBe(200)
    expect(await served(live)).toBe('four')
  })

  it('reads the file again when it changes after that, or when it is told to', async () => {
    await live.request('/admin/config/rollback', post())
    expect(await served(live)).toBe('two')
    const reply = await live.request('/admin/config/reload', post())
    expect(JSON.parse(reply.text)).toMatchObject({ outcome: 'applied', cause: 'admin' })
    expect(await served(live)).toBe('four')
    await live.request('/admin/config/rollback', post())
    await live.rewrite(configOf('five'))
    expect(await served(live)).toBe('five')
  })

  it('answers a reload that comes to nothing with all that is wrong', async () => {
    await live.rewrite('{"timeout": -1}')
    const reply = await live.request('/admin/config/reload', post())
    expect(reply.status).toBe(422)
    expect(JSON.parse(reply.text)).toMatchObject({
      error: { code: 'invalid_configuration', message: expect.stringContaining('timeout: found -1') },
      outcome: 'kept',
      problems: [expect.stringContaining('timeout: found -1')],
    })
  })

  it('can’t become one for other machines or lose its keys unseen: the checks are those of a start', async () => {
    const shown = await live.rewrite({ ...configOf('six'), keys: ['env:NOT_SET_ANYWHERE'] })
    expect(shown.last_reload?.problems).toEqual(['keys[0]: NOT_SET_ANYWHERE is not set'])
  })

  it('says that a new variable needs a restart', async () => {
    const providers = { lab: { type: 'openai-compatible', baseURL: upstream.url, apiKey: 'env:LATER' } }
    const shown = await live.rewrite({ ...configOf('seven'), providers })
    expect(shown.last_reload?.notes).toEqual([expect.stringMatching(/LATER is not set; .* needs a restart/)])
  })
})

describe('A change of the configuration', () => {
  it('lets a stream go on to its end', async () => {
    const { promise: held, resolve: release } = Promise.withResolvers<void>()
    const frames = chatFrames('Hello', ' there')
    const slow = await fakeUpstream(async ({ method }, response) => {
      if (method === 'GET') return response.writeHead(404).end()
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(frames.slice(0, 2).join(''))
      await held
      response.end(frames.slice(2).join(''))
    })
    const providers = { lab: { type: 'openai-compatible', baseURL: slow.url } }
    const live = await startLive({ providers, models: { m: 'lab/one' } })
    const response = await fetch(`http://127.0.0.1:${live.port}/v1/chat/completions`, {
      ...post(chat('m', { stream: true })),
      headers: { 'content-type': 'application/json' },
    })
    // Neither its provider nor its model is there any more.
    await live.rewrite(configOf('two'))
    expect(await served(live)).toBe('two')
    release()
    const text = await response.text()
    expect([wordsOf(text), text.endsWith('data: [DONE]\n\n')]).toEqual(['Hello there', true])
    await live.close()
    await slow.close()
  })

  it('forgets nothing of a provider that stays as it is', async () => {
    const failing = await fakeUpstream(json(500, {}))
    const config = (more: Record<string, string>, path = '') => ({
      providers: { lab: { type: 'openai-compatible', baseURL: failing.url + path } },
      models: { m: 'lab/one', ...more },
      ...{ retries: 0, onExhausted: 'reject' as const, cooldown: { allowedFails: 1, cooldownTime: 100 } },
    })
    const live = await startLive(config({}))
    const asked = () => failing.seen.filter(({ method }) => method === 'POST').length
    const ask = () =>
      live.request('/v1/chat/completions', { ...post(chat('m')), headers: { 'content-type': 'application/json' } })
    await ask()
    expect(asked()).toBe(1)
    await live.rewrite(config({ other: 'lab/two' }))
    // In cooldown, as before.
    expect((await ask()).status).toBe(503)
    expect(asked()).toBe(1)
    // Another server, of which nothing is known.
    await live.rewrite(config({}, '/elsewhere'))
    await ask()
    expect(asked()).toBe(2)
    await live.close()
    await failing.close()
  })
})

describe('A configuration that is a program', () => {
  let live: LiveProgram
  const program = (model: string, more = '') => `${more}\nexport default ${JSON.stringify(configOf(model))}\n`
  beforeAll(async () => {
    live = await startLive(program('one'), { name: 'samewire.config.mjs' })
  })
  afterAll(() => live.close())

  it('is read again, and what it can’t change is told once', async () => {
    for (const model of ['two', 'three']) {
      await live.rewrite(program(model))
      expect(await served(live)).toBe(model)
    }
    await live.program.until(/modules that it imports stay as they are/)
    expect(live.program.printed().match(/modules that it imports stay as they are/g)).toHaveLength(1)
  })

  it.each([
    ['ends the program', 'process.exit(3)', /^line 1: it ends the program$/],
    ['throws', 'throw new Error("no such luck")', /^line 1: no such luck$/],
    ['throws where nobody catches it', 'void Promise.reject(new Error("lost"))', /^line 1: lost$/],
  ])('can’t end the gateway when it %s', async (_, line, reason) => {
    const shown = await live.rewrite(program('four', line))
    expect(shown.last_reload).toMatchObject({ outcome: 'kept', problems: [expect.stringMatching(reason)] })
    expect(await served(live)).toBe('three')
  })
})

describe('Two workers', () => {
  let live: LiveProgram
  beforeAll(async () => {
    live = await startLive(configOf('one'), { args: ['--workers', '2'] })
  })
  afterAll(() => live.close())

  it('both have a new configuration, and each tells which', async () => {
    const shown = await live.rewrite(configOf('two'))
    expect(shown.workers?.map(({ hash }) => hash)).toEqual([shown.hash, shown.hash])
    expect(await Promise.all(Array.from({ length: 8 }, () => served(live)))).toEqual(Array(8).fill('two'))
  })

  it('both keep theirs where it can’t be used', async () => {
    const before = await live.config()
    const shown = await live.rewrite({ ...configOf('three'), timeout: -1 })
    expect(shown).toMatchObject({ hash: before.hash, workers: before.workers, last_reload: { outcome: 'kept' } })
  })

  it('are told by either of them to read it again, or to return', async () => {
    await live.rewrite(configOf('four'))
    for (const model of ['two', 'one']) {
      expect((await live.request('/admin/config/rollback', post())).status).toBe(200)
      expect(await Promise.all(Array.from({ length: 8 }, () => served(live)))).toEqual(Array(8).fill(model))
    }
    expect((await live.request('/admin/config/reload', post())).status).toBe(200)
    expect(await Promise.all(Array.from({ length: 8 }, () => served(live)))).toEqual(Array(8).fill('four'))
  })

  it('begin with the new one when they take the place of others', async () => {
    const shown = await live.rewrite(configOf('five'))
    const [victim] = shown.workers ?? []
    process.kill(victim?.pid ?? 0, 'SIGKILL')
    await live.program.until(/worker \d+ answers/)
    const after = await live.config()
    expect(after.workers?.map(({ hash }) => hash)).toEqual([shown.hash, shown.hash])
  })

  it('go on when the terminal’s signal comes to them too', async () => {
    const { workers = [] } = await live.config()
    for (const { pid } of workers) process.kill(pid, 'SIGHUP')
    expect((await live.config()).workers).toEqual(workers)
  })
})
