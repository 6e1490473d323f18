import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { folderOf, samewire } from '../support/cli.ts'
import { type RunningGateway, startGateway } from '../support/gateway.ts'

const config = {
  providers: { demo: { type: 'embedded' } },
  models: {
    cheap: { deployments: [{ model: 'demo/tiny-chat', contextWindow: 4096, price: { input: 0.1, output: 0.3 } }] },
  },
}

let gateway: RunningGateway
let guarded: RunningGateway
let folder: string
beforeAll(async () => {
  gateway = await startGateway(config)
  guarded = await startGateway(config, { env: { SAMEWIRE_KEY: 'our-key' } })
  folder = await folderOf({ 'samewire.json': JSON.stringify(config) })
})
afterAll(() => Promise.all([gateway.close(), guarded.close()]))

const table = /^model +stands for +context +\$ per million tokens\ncheap +demo\/tiny-chat +4096 +0\.1 in, 0\.3 out\n/

describe('The models of a running gateway', () => {
  it('are a table with what is known of them', async () => {
    const { code, output, errors } = await samewire(`models --url ${gateway.baseURL}`)
    expect({ code, errors }).toEqual({ code: 0, errors: '' })
    expect(output).toMatch(table)
  })

  it('are their names alone, one a line, for other programs', async () => {
    const { output } = await samewire(`models -q --url ${gateway.baseURL}`)
    expect(output).toBe('cheap\ndemo/tiny-chat\n')
  })

  it('are the list of the API as JSON', async () => {
    const { output } = await samewire(`models --json --url ${gateway.baseURL}`)
    expect(JSON.parse(output)).toEqual(await (await fetch(`${gateway.baseURL}/models`)).json())
  })

  it.each(['', '/', '/v1', '/v1/'])('are asked for at SAMEWIRE_URL with %j behind the port', async (path) => {
    const url = gateway.baseURL.replace(/\/v1$/, path)
    expect(await samewire('models -q', { env: { SAMEWIRE_URL: url } })).toMatchObject({
      code: 0,
      output: 'cheap\ndemo/tiny-chat\n',
    })
  })

  it('need the key, from SAMEWIRE_KEY or --key', async () => {
    const url = guarded.baseURL
    expect((await samewire('models', { env: { SAMEWIRE_URL: url, SAMEWIRE_KEY: 'our-key' } })).code).toBe(0)
    expect((await samewire(`models --url ${url} --key our-key`)).code).toBe(0)
    expect(await samewire(`models --url ${url} --key wrong`)).toMatchObject({
      code: 1,
      output: '',
      errors: expect.stringMatching(/\(Here the key comes from SAMEWIRE_KEY or --key\.\)\n$/),
    })
  })

  it('are told not to be there when nobody answers, with what to do', async () => {
    expect(await samewire('models --url http://127.0.0.1:1')).toEqual({
      code: 1,
      output: '',
      errors:
        'Nobody answers at http://127.0.0.1:1/v1: run `samewire`, or `npm start` in a clone, in another terminal.\n',
    })
  })

  it('are told not to be there when something else answers', async () => {
    const server = createServer((_request, response) => response.end('<html>')).listen(0, '127.0.0.1')
    await new Promise((listening) => server.once('listening', listening))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const { code, errors } = await samewire(`models --url ${url}`)
    server.close()
    expect([code, errors]).toEqual([1, `What answers at ${url}/v1 is no gateway: it says 200.\n`])
  })

  it.each(['nonsense', 'localhost:8787', 'ftp://127.0.0.1'])('are not looked for at %s', async (url) => {
    const { code, errors } = await samewire(`models --url ${url}`)
    expect([code, errors]).toEqual([2, `${url} is no address; such as http://127.0.0.1:8787\n`])
  })
})

describe('The models of a configuration', () => {
  it('are those that its gateway would list', async () => {
    const { code, output } = await samewire('models --local', { folder })
    expect(code).toBe(0)
    expect(output).toMatch(table)
    expect(JSON.parse((await samewire('models --local --json', { folder })).output)).toMatchObject({
      object: 'list',
      data: [{ id: 'cheap' }, { id: 'demo/tiny-chat' }],
    })
  })

  it.each([
    ['models --config x.yaml', '--config needs --local: a running gateway has its own\n'],
    ['models --local --url http://a.test', '--local and --url exclude each other\n'],
  ])('are not mixed with those of a gateway: %s', async (line, errors) => {
    expect(await samewire(line)).toEqual({ code: 2, output: '', errors })
  })
})
