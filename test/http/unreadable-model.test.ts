import { describe, expect, it } from 'vitest'
import { runtimes, serveBoth } from '../support/both.ts'
import { json } from '../support/upstream.ts'

const { both } = serveBoth(
  'unreadable-model',
  (baseURL) => ({
    providers: { p: { type: 'openai-compatible', baseURL } },
    models: { 'half%': 'p/50%', 'a b': 'p/x' },
  }),
  { script: json(200, { object: 'list', data: [{ id: '50%', object: 'model', created: 5 }] }) },
)

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
