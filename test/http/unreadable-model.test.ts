import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Both, runtimes, startBoth } from '../support/both.ts'
import { type FakeUpstream, fakeUpstream, json } from '../support/upstream.ts'

let upstream: FakeUpstream
let both: Both
beforeAll(async () => {
  upstream = await fakeUpstream(json(200, { object: 'list', data: [{ id: '50%', object: 'model', created: 5 }] }))
  both = await startBoth('unreadable-model', {
    providers: { p: { type: 'openai-compatible', baseURL: upstream.url } },
    models: { 'half%': 'p/50%', 'a b': 'p/x' },
  })
})
afterAll(async () => {
  await both.close()
  await upstream.close()
})

describe.each(runtimes)('A client that asks for one model on %s', (runtime) => {
  const get = async (id: string) => {
    const headers = { authorization: `Bearer ${both.key}` }
    const response = await fetch(`${both.addresses[runtime]}/models/${id}`, { headers })
    return { status: response.status, body: await response.json() }
  }

  it.each(['%zz%ff', '%ff', 'a%2', '%C3%28'])('reads the name that it sent if nobody can decode it: %s', async (id) => {
    const error = { code: 'model_not_found', message: expect.stringContaining(`\`${id}\``) }
    expect(await get(id)).toMatchObject({ status: 404, body: { error } })
  })

  it.each([
    ['half%25', 'half%'],
    ['half%', 'half%'],
    ['a%20b', 'a b'],
  ])('finds it by %s', async (id, name) => {
    expect(await get(id)).toMatchObject({ status: 200, body: { id: name } })
  })
})
