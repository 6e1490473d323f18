import { expect, it } from 'vitest'
import { folderOf, samewire } from '../support/cli.ts'

const good = {
  keys: ['env:TEAM_KEY'],
  providers: {
    a: { type: 'openai-compatible', baseURL: 'http://127.0.0.1:9/v1' },
    closed: { type: 'openai-compatible', baseURL: 'http://127.0.0.1:9/v1', apiKey: 'env:CLOSED_KEY' },
  },
  models: { m: { deployments: ['a/one', 'a/two'], fallbacks: ['closed/x'] }, 'gpt-*': 'a/*' },
  fallback: 'm',
}
const bad = {
  providers: { a: { type: 'openai-compatible' } },
  models: { 'x: y': { deployments: ['b/c'], retires: 1 } },
}

const folder = await folderOf({
  'samewire.json': JSON.stringify(good),
  'bad.json': JSON.stringify(bad),
  'broken.yaml': 'a: [',
  'keyless.json': JSON.stringify({ ...good, keys: [] }),
})
const env = { TEAM_KEY: 'a-team-key' }

it('says what a configuration would serve, and asks nobody', async () => {
  const { code, output, errors } = await samewire('check', { folder, env })
  expect({ code, errors }).toEqual({ code: 0, errors: '' })
  expect(output.replace(folder, '')).toBe(`/samewire.json is right.

  provider
  a         http://127.0.0.1:9/v1
  closed    not usable: CLOSED_KEY is not set

  model  stands for    falls back to
  m      a/one, a/two  closed/x
  gpt-*  a/*

  missing models are answered by m
  1 key is accepted
`)
})

it('says the same to programs', async () => {
  expect(JSON.parse((await samewire('check --json', { folder, env })).output)).toMatchObject({
    ok: true,
    problems: [],
    providers: [
      { name: 'a', address: 'http://127.0.0.1:9/v1', unusable: null },
      { name: 'closed', unusable: expect.stringContaining('CLOSED_KEY') },
    ],
    models: [
      { name: 'm', deployments: ['a/one', 'a/two'], fallbacks: ['closed/x'] },
      { name: 'gpt-*', deployments: ['a/*'] },
    ],
    fallback: 'm',
    ...{ keys: 1, makesKeys: false, open: false },
  })
})

it.each([
  ['no key required: only programs on this machine can use it', {}],
  ['no key required unless some were made: only programs', { SAMEWIRE_STATE: 'file:none.db' }],
  ['keys that the gateway makes are accepted', { SAMEWIRE_STATE: 'file:none.db', SAMEWIRE_ADMIN_KEY: 'the-admins' }],
  [
    '1 key and keys that the gateway makes are accepted',
    { SAMEWIRE_STATE: 'file:none.db', SAMEWIRE_KEY: 'the-clients' },
  ],
])('says who gets in: %s', async (line, given) => {
  expect((await samewire(`check ${folder}/keyless.json`, { env: given })).output).toContain(`  ${line}`)
})

it('names every problem with its path, and fails', async () => {
  const { code, output } = await samewire(`check ${folder}/bad.json`)
  expect(code).toBe(1)
  expect(output).toContain(`${folder}/bad.json can't be used:\n`)
  expect(output).toMatch(/^ {2}models\["x: y"\]\.retires: no such key; did you mean "retries"\?/m)
  const { problems, ok } = JSON.parse((await samewire(`check --json ${folder}/bad.json`)).output)
  expect(ok).toBe(false)
  expect(problems).toContainEqual({
    path: 'models["x: y"].retires',
    message: expect.stringMatching(/^no such key; did you mean "retries"\?/),
  })
})

it.each([
  ['broken.yaml', null, /line 1/],
  ['nowhere.json', null, /^there is no such file$/],
])('has no path for what is wrong with a whole file: %s', async (name, path, message) => {
  const { code, output } = await samewire(`check --json ${folder}/${name}`)
  expect([code, JSON.parse(output).problems]).toEqual([1, [{ path, message: expect.stringMatching(message) }]])
})

it('refuses what a start with these variables would refuse', async () => {
  const { code, output } = await samewire(`check ${folder}/keyless.json`, { env: { HOST: '0.0.0.0' } })
  expect([code, output]).toEqual([1, expect.stringContaining('0.0.0.0 can be reached from elsewhere')])
})
