import { describe, expect, it } from 'vitest'
import { noLists } from '../support/ask.ts'
import { samewire } from '../support/cli.ts'
import { duringTests } from '../support/during-tests.ts'
import { type RunningGateway, startGateway } from '../support/gateway.ts'
import { type KeptState, keptState, rowMaker } from '../support/state.ts'

const adminKey = 'sk-admin-0123456789abcdef'
const state: KeptState = duringTests(keptState)
const gateway: RunningGateway = duringTests(() =>
  startGateway(
    { providers: { p: { type: 'openai-compatible', baseURL: 'http://127.0.0.1:1' } } },
    { env: { SAMEWIRE_KEY: 'our-key', SAMEWIRE_ADMIN_KEY: adminKey }, services: noLists, state: async () => state },
  ),
)

function run(line: string | readonly string[]) {
  return samewire(line, { env: { SAMEWIRE_URL: gateway.baseURL, SAMEWIRE_ADMIN_KEY: adminKey } })
}

async function made(...words: string[]): Promise<{ id: string; secret: string }> {
  const { output } = await run(['keys', 'create', ...words, '--json'])
  const { data, key } = JSON.parse(output)
  return { id: data.id, secret: key }
}

describe('samewire keys', () => {
  it('makes a key: its secret is all of the output, for programs', async () => {
    const line = ['keys', 'create', 'Ada Lovelace', '--limit', '2.5', '--reset', 'monthly', '--models', 'gpt-*, p/m']
    const { code, output, errors } = await run([...line, '--rpm', '60', '--metadata', '{"team":"a"}'])
    expect(code).toBe(0)
    expect(output).toMatch(/^sk-sw-[\w-]{43}\n$/)
    expect(errors).toMatch(/^name +Ada Lovelace$/m)
    expect(errors).toMatch(/^budget +\$2\.50 monthly$/m)
    expect(errors).toMatch(/^models +gpt-\*, p\/m$/m)
    expect(errors).toMatch(/^metadata +\{"team":"a"\}$/m)
    expect(errors).not.toContain(output.trim())
  })

  it('lists keys in a table, with what they have spent', async () => {
    const { id } = await made('Eve', '--project', 'web')
    state.ledger.write(rowMaker()({ at: Date.now(), key: id, booked: 123_000_001 }))
    await state.ledger.flush()
    await run(`keys disable ${id}`)
    const { output } = await run('keys --project web')
    expect(output).toMatch(/^id +name +secret +state +spent +project\n/)
    expect(output).toMatch(new RegExp(`^${id} +Eve +sk-sw-….{4} +disabled +\\$0\\.123000001 +web\n$`, 'm'))
    expect(JSON.parse((await run('keys list --project web --json')).output)).toMatchObject([{ id, disabled: true }])
    expect(await run('keys --project nobody')).toEqual({ code: 0, output: '', errors: 'There is no key.\n' })
  })

  it('changes a key, and takes limits off', async () => {
    const { id } = await made('a', '--limit', '1', '--tpm', '100', '--expires', '30d')
    const changed = await run(`keys update ${id} --name b --limit none --parallel 3 --expires 2999-01-02 --json`)
    expect(JSON.parse(changed.output)).toMatchObject({
      ...{ name: 'b', limit: null, tpm_limit: 100, max_parallel_requests: 3, expires_at: '2999-01-02T00:00:00.000Z' },
    })
    await run(`keys disable ${id}`)
    expect((await run(`keys get ${id}`)).output).toMatch(/^state +disabled$/m)
    expect((await run(`keys enable ${id}`)).output).toMatch(/^state +until 2999/m)
    expect((await run(`keys update ${id} --forgive`)).code).toBe(0)
  })

  it('limits single models, and each end user', async () => {
    const { id } = await made('a', '--model-rpm', 'p/m=5, odd=name=7', '--model-tpm', 'p/m=900', '--end-user-rpm', '2')
    const change = ['--end-user-tpm', '800', '--budget-mode', 'estimate', '--unbounded', 'yes', '--model-tpm', 'none']
    const changed = await run(['keys', 'update', id, ...change, '--json'])
    expect(JSON.parse(changed.output)).toMatchObject({
      ...{ model_rpm_limit: { 'p/m': 5, 'odd=name': 7 }, model_tpm_limit: {}, end_user_rpm_limit: 2 },
      ...{ end_user_tpm_limit: 800, budget_mode: 'estimate', allow_unbounded: true },
    })
    const { output } = await run(`keys get ${id}`)
    expect(output).toMatch(/^model rpm +p\/m=5, odd=name=7$/m)
    expect(output).toMatch(/^user rpm +2\nuser tpm +800\nmode +estimate\nunbounded +allowed$/m)
    expect(output).not.toContain('model tpm')
  })

  it('rotates a key, and deletes it', async () => {
    const { id, secret } = await made('a')
    const { output } = await run(`keys rotate ${id} --grace 1h`)
    expect(output).toMatch(/^sk-sw-/)
    expect(output.trim()).not.toBe(secret)
    expect(await run(`keys delete ${id}`)).toEqual({ code: 0, output: '', errors: `${id} is deleted.\n` })
    expect(await run(`keys get ${id}`)).toEqual({ code: 1, output: '', errors: 'There is no such key.\n' })
  })

  it.each([
    ['keys get', 'it needs the id of a key'],
    ['keys create', 'it needs a name'],
    ['keys update key_1', 'it needs something to change'],
    ['keys create a --limit much', '--limit: much is no number, and not none'],
    ['keys create a --model-rpm gpt-4o', '--model-rpm: gpt-4o is no MODEL=NUMBER'],
    ['keys create a --model-tpm gpt-4o=x', '--model-tpm: x is no number, and not none'],
    ['keys create a --metadata []', '--metadata: [] is no JSON object'],
    ['keys list key_1', 'a list has no key; `samewire keys get` shows one'],
    ['keys make a', "error: command-argument value 'make' is invalid for argument 'action'."],
  ])('says what is wrong with a line: %s', async (line, expected) => {
    const { code, output, errors } = await run(line)
    expect([code, output, errors.slice(0, expected.length)]).toEqual([2, '', expected])
  })

  it('passes on what the gateway refuses', async () => {
    expect(await run('keys create a --limit 0.0000000001')).toMatchObject({
      code: 1,
      errors: expect.stringContaining("Invalid 'limit'"),
    })
    const env = { SAMEWIRE_URL: gateway.baseURL, SAMEWIRE_ADMIN_KEY: 'wrong' }
    const { code, errors } = await samewire('keys', { env })
    expect([code, errors]).toEqual([
      1,
      expect.stringContaining('(Here the key comes from SAMEWIRE_ADMIN_KEY or --key.)'),
    ])
    expect((await samewire('keys --url http://127.0.0.1:1')).errors).toContain('Nobody answers')
  })
})

describe('samewire usage', () => {
  const day = 24 * 60 * 60 * 1000

  it('is a table of days and groups, with a sum', async () => {
    const row = rowMaker()
    for (const fields of [
      { at: Date.now() - 20 * day, model: 'old', cost: 1_500_000_000 },
      { at: Date.now() - 20 * day, model: 'new\u001b[31m', cost: null, outcome: 'failed' as const },
    ])
      state.ledger.write(row(fields))
    await state.ledger.flush()
    const { output } = await run('usage --days 30 --by model,operation')
    const lines = output.split('\n')
    const date = new Date(Date.now() - 20 * day).toISOString().slice(0, 10)
    expect(lines[0]).toMatch(/^day +model +operation +requests +failed +input +output +cost +without a price$/)
    expect(lines).toContainEqual(expect.stringMatching(new RegExp(`^${date} +old +chat +1 +10 +5 +\\$1\\.50$`)))
    expect(output).not.toContain('\u001b')
    expect(lines.at(-2)).toMatch(/^all +\d+ +1 +/)
    expect(JSON.parse((await run('usage --days 30 --by model --json')).output)[0]).toMatchObject({ day: date })
  })

  it('is exported row by row', async () => {
    const rows = (await run('usage --export ndjson')).output
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    const table = (await run('usage --export csv')).output.trimEnd().split('\r\n')
    expect(rows.length).toBeGreaterThan(1)
    expect(table.length).toBe(rows.length + 1)
  })

  it.each([
    ['usage --days 0', '--days: 0 is no number of days'],
    ['usage --by colour', '--by: colour is none of key, model'],
    ['usage --export xml', "error: option '--export <FORMAT>' argument 'xml' is invalid."],
  ])('says what is wrong with a line: %s', async (line, expected) => {
    const { code, errors } = await run(line)
    expect([code, errors.slice(0, expected.length)]).toEqual([2, expected])
  })
})
