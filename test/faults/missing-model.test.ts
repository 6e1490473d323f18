import { describe, expect, it } from 'vitest'
import type { Config } from '../../src/config/schema.ts'
import { ask, chat, errorOf, hastyClock, noLists } from '../support/ask.ts'
import { gatewayStarter, serveUpstreams } from '../support/gateway.ts'
import { chatAnswer, json, type Script, text } from '../support/upstream.ts'

const type = 'openai-compatible'

const { upstream, standIn } = serveUpstreams({
  upstream: undefined,
  standIn: json(200, chatAnswer('from the stand-in', 'the-stand-in')),
})
const serve = gatewayStarter()

async function start(more: Config) {
  const providers: Config['providers'] = {
    p: { type, baseURL: upstream.url },
    stand: { type, baseURL: standIn.url },
    hf: { type: 'huggingface', baseURL: upstream.url, apiKey: 'env:HF' },
    ollama: { type: 'ollama', baseURL: upstream.url },
    unset: { type: 'openai', apiKey: 'env:NOT_SET' },
  }
  return await serve({ providers, ...more }, { clock: hastyClock(), services: noLists, env: { HF: 'hf_x' } })
}

const said = (message: string, code: string | null = null) => ({ error: { message, type: 'x', param: null, code } })

/** Each kind of missing model: what is asked, what its upstream says, and the word in `x-samewire-reason`. */
const kinds: readonly [string, string | undefined, Script, string][] = [
  ['absent', undefined, text(500, 'not asked'), 'model_not_found'],
  ['unknown', 'never-heard-of', text(500, 'not asked'), 'model_not_found'],
  ['not_found', 'p/gone', json(404, said('The model `gone` does not exist')), 'model_not_found'],
  ['retired', 'p/old', json(404, said('The model `old` has been deprecated')), 'model_deprecated'],
  ['not_pulled', 'ollama/llama3', json(404, { error: "model 'llama3' not found" }), 'model_unavailable_upstream'],
  [
    'no_live_provider',
    'hf/org/m',
    json(400, said('The model is not supported by any provider you have enabled')),
    'no_endpoints',
  ],
  ['no_live_provider', 'unset/m', text(500, 'not asked'), 'no_endpoints'],
]

/** As at OpenAI, where a request that names none is a mistake of its own: a 404 would say that the route is missing. */
const refusalOf = (kind: string) => (kind === 'absent' ? [400, null] : [404, 'model_not_found'])

describe('A model that is missing', () => {
  it.each(kinds)('is answered by the fallback, which says so: %s (%s)', async (_kind, model, script, reason) => {
    upstream.script(script)
    const gateway = await start({ fallback: 'stand/in' })
    const reply = await ask(gateway, chat(model))
    expect(reply.status).toBe(200)
    expect(JSON.parse(reply.text)).toMatchObject({ model: 'the-stand-in' })
    expect(reply.headers.get('x-samewire-model')).toBe('stand/in')
    expect(reply.headers.get('x-samewire-reason')).toBe(reason)
    expect(JSON.parse(standIn.seen.at(-1)?.body ?? '')).toEqual({ ...chat('in') })
    const asked = upstream.seen.length > 0 ? 2 : 1
    expect(Number(reply.headers.get('x-samewire-attempts'))).toBeLessThanOrEqual(asked)
  })

  it.each(kinds)('is told without a fallback: %s (%s)', async (kind, model, script, reason) => {
    upstream.script(script)
    const reply = await ask(await start({}), chat(model))
    expect([reply.status, errorOf(reply).code]).toEqual(refusalOf(kind))
    expect(errorOf(reply)).toMatchObject({ type: 'invalid_request_error' })
    expect(reply.headers.get('x-samewire-reason')).toBe(reason)
    expect(reply.headers.get('x-samewire-model')).toBeNull()
  })

  it.each(kinds)('is told where the policy says error, fallback or not: %s (%s)', async (kind, model, script) => {
    upstream.script(script)
    const reply = await ask(await start({ fallback: 'stand/in', missing: { [kind]: 'error' } }), chat(model))
    expect([reply.status, errorOf(reply).code]).toEqual(refusalOf(kind))
    expect(standIn.seen).toEqual([])
  })

  it('is told in OpenAI’s words, those of 2023 on the old routes', async () => {
    const gateway = await start({})
    const prompt = { model: 'text-davinci-003', prompt: 'x' }
    expect(errorOf(await ask(gateway, chat('nope'))).message).toBe(
      'The model `nope` does not exist or you do not have access to it.',
    )
    for (const path of ['/completions', '/engines/text-davinci-003/completions']) {
      const error = errorOf(await ask(gateway, prompt, { path }))
      expect(error).toMatchObject({ message: 'The model: `text-davinci-003` does not exist', code: 'model_not_found' })
    }
    upstream.script(json(404, said('no such model')))
    const refused = errorOf(await ask(gateway, { ...prompt, model: 'p/m' }, { path: '/completions' }))
    expect(refused.message).toBe('The model: `p/m` does not exist')
  })

  it('is told with its own fallbacks tried first', async () => {
    upstream.script(json(404, said('no such model')))
    const gateway = await start({ models: { m: { deployments: ['p/a'], fallbacks: ['stand/b'] } } })
    const reply = await ask(gateway, chat('m'))
    expect(reply.headers.get('x-samewire-model')).toBe('stand/b')
    expect(reply.headers.get('x-samewire-attempts')).toBe('2')
  })

  it('is not what a model is that is down: the gateway’s fallback stays out of it', async () => {
    upstream.script(json(503, said('busy')))
    const reply = await ask(await start({ fallback: 'stand/in' }), chat('p/m'))
    expect(reply.status).toBe(503)
    expect(standIn.seen).toEqual([])
  })

  it('is found when a provider lists it after all', async () => {
    upstream.script((request, response) => {
      const list = { data: [{ id: 'fresh' }] }
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify(request.path === '/models' ? list : chatAnswer('here')))
    })
    const gateway = await serve({ providers: { p: { type, baseURL: upstream.url } } })
    const reply = await ask(gateway, chat('fresh'))
    expect(reply.headers.get('x-samewire-model')).toBe('p/fresh')
  })
})
