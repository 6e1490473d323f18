import { afterAll, beforeAll, expect, it } from 'vitest'
import { chat } from '../support/ask.ts'
import { folderOf, samewire } from '../support/cli.ts'
import { type RunningGateway, startGateway } from '../support/gateway.ts'

const config = {
  providers: { a: { type: 'openai-compatible', baseURL: 'http://127.0.0.1:9/v1' } },
  models: { m: { deployments: ['a/one'], fallbacks: ['a/two'] } },
}

let gateway: RunningGateway
let folder: string
beforeAll(async () => {
  gateway = await startGateway({ ...config, models: { m: 'a/running' } })
  folder = await folderOf({ 'samewire.json': JSON.stringify(config) })
})
afterAll(() => gateway.close())

it('explains a chat with the model that is named, by the configuration', async () => {
  const { code, output, errors } = await samewire('explain m', { folder })
  expect({ code, errors }).toEqual({ code: 0, errors: '' })
  expect(output).toMatch(
    /^chat for m\n\n {2}# +deployment +why .*\n {2}1 +a\/one +requested .*\n {2}2 +a\/two +fallback /,
  )
})

it('explains the request on the standard input, of any kind', async () => {
  const input = JSON.stringify({ model: 'm', input: ['text'] })
  expect((await samewire('explain', { folder, input })).output).toMatch(/^embeddings for m\n/)
})

it('prints the plan of the API as JSON', async () => {
  const { output } = await samewire('explain m --json', { folder })
  expect(JSON.parse(output)).toMatchObject({
    object: 'routing.plan',
    attempts: [{ deployment: 'a/one' }, { deployment: 'a/two', why: 'fallback' }],
  })
})

it('asks the gateway that runs there', async () => {
  const url = gateway.baseURL.replace('/v1', '')
  const { output } = await samewire(`explain --url ${url} --json`, { input: JSON.stringify(chat('m')) })
  expect(JSON.parse(output).attempts).toMatchObject([{ deployment: 'a/running' }])
  expect((await samewire(`explain m --url ${url}`)).output).toMatch(/^ {2}1 +a\/running +requested /m)
})

it('tells what is wrong with a request in the same way, whoever finds it', async () => {
  const input = '{"model": "m"'
  const there = await samewire(`explain --url ${gateway.baseURL}`, { input })
  expect(there).toMatchObject({
    code: 1,
    output: '',
    errors: expect.stringMatching(/^We could not parse the JSON body /),
  })
  expect(await samewire('explain', { folder, input })).toEqual(there)
})

it('needs a model or a request where nobody pipes one', async () => {
  const refused = { code: 2, output: '', errors: 'it needs a model, or a request on the standard input\n' }
  expect(await samewire('explain', { folder })).toEqual(refused)
  expect(await samewire('explain', { folder, input: '\n' })).toEqual(refused)
})
