import { describe, expect, it } from 'vitest'
import { hashOf } from '../../src/admin/hash.ts'
import { withoutSecrets } from '../../src/admin/redact.ts'
import { runtimes, serveBoth } from '../support/both.ts'

const secrets = {
  SAMEWIRE_ADMIN_KEY: 'sk-admin-0123456789abcdef',
  LAB_KEY: 'sk-lab-secret-0123456789',
  SECOND_KEY: 'sk-second-secret-0123456',
  CI_KEY: 'sk-of-ci-secret-0123456',
  HF_TOKEN: 'hf_secret_of_the_environment',
  LAB_HEADER: 'header-secret-0123456789',
}

describe('What a gateway shows of its configuration', () => {
  const { both } = serveBoth(
    'admin-secrets',
    (url) => ({
      providers: {
        lab: {
          type: 'openai-compatible',
          baseURL: url,
          apiKey: 'env:LAB_KEY',
          headers: { 'x-tenant': 'written-out-0123456789', authorization: 'env:LAB_HEADER' },
        },
        'my-keys': { type: 'openai', baseURL: url, apiKey: 'client', organization: `org-${secrets.LAB_KEY}` },
      },
      keys: ['env:SECOND_KEY', { key: 'env:CI_KEY', name: 'ci', models: ['keynote-*'], rpm: 60 }],
      models: {
        'keynote-model': {
          deployments: [
            {
              model: 'lab/one',
              params: { max_tokens: 12, metadata: { api_key: 'sk-in-params-0123456789' } },
              overrides: {
                tools: [
                  {
                    type: 'mcp',
                    server_url: 'https://user:pw-in-url@mcp.lan/x?sig=sig-in-url',
                    authorization: 'mcp-0123456',
                  },
                ],
              },
            },
          ],
        },
      },
    }),
    { env: secrets },
  )

  it.each(runtimes)('has all in it but its secrets (%s)', async (runtime) => {
    const headers = { authorization: `Bearer ${secrets.SAMEWIRE_ADMIN_KEY}` }
    const response = await fetch(new URL('/admin/config', both.addresses[runtime]), { headers })
    const text = await response.text()
    const written = ['written-out-0123456789', 'sk-in-params', 'pw-in-url', 'sig-in-url', 'mcp-0123456']
    for (const secret of [...Object.values(secrets), ...written, both.key]) expect(text).not.toContain(secret)
    expect(JSON.parse(text).config).toMatchObject({
      providers: {
        lab: { apiKey: 'env:LAB_KEY', headers: { 'x-tenant': '***', authorization: 'env:LAB_HEADER' } },
        'my-keys': { type: 'openai', apiKey: 'client', organization: 'org-***' },
      },
      keys: ['env:SECOND_KEY', { key: 'env:CI_KEY', name: 'ci', models: ['keynote-*'], rpm: 60 }],
      models: {
        'keynote-model': {
          deployments: [
            {
              model: 'lab/one',
              params: { max_tokens: 12, metadata: { api_key: '***' } },
              overrides: { tools: [{ type: 'mcp', server_url: 'https://***@mcp.lan/x?***', authorization: '***' }] },
            },
          ],
        },
      },
    })
  })

  it('has no key that is written out beside what it may do', () => {
    const hide = withoutSecrets({})
    const keys = ['written-out-0123', { key: 'written-out-4567', name: 'ci', note: 'written-out-89ab', rpm: 60 }]
    expect(hide({ keys })).toEqual({ keys: ['***', { key: '***', name: 'ci', note: '***', rpm: 60 }] })
  })

  it('has no secret of the environment where a program has put one', () => {
    const hide = withoutSecrets({ LAB_PASSWORD: 'p4ssw0rd-of-the-lab', HOME: '/home/somebody', PORT: '8787' })
    expect(hide({ problems: ['providers.lab: found "p4ssw0rd-of-the-lab"'], path: '/home/somebody/x' })).toEqual({
      problems: ['providers.lab: found "***"'],
      path: '/home/somebody/x',
    })
  })
})

describe('The hash of a configuration', () => {
  it('is short, and another one for another configuration, also if only the order differs', async () => {
    const hashes = await Promise.all(
      [{ a: 1, b: 2 }, { b: 2, a: 1 }, { a: 1 }, {}, { a: 1n }, { a: undefined }].map(hashOf),
    )
    expect(new Set(hashes).size).toBe(hashes.length)
    for (const hash of hashes) expect(hash).toMatch(/^[\da-f]{12}$/)
  })

  it('is the same for the same configuration', async () => {
    expect(await hashOf({ a: [1, 'x'] })).toBe(await hashOf({ a: [1, 'x'] }))
  })
})
