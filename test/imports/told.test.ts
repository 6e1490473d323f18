import { describe, expect, it } from 'vitest'
import { type ImportResult, importConfiguration } from '../../src/import/command.ts'
import { imported, ofLitellm, ofPortkey } from './importing.ts'

const linesOf = ({ report }: ImportResult) => report.split('\n').map((line) => line.trim())

describe('The report', () => {
  it('counts what was carried, changed and not carried', () => {
    const { report, notes, lost } = imported('litellm/team.yaml')
    const count = (wanted: string) => notes.filter(({ outcome }) => outcome === wanted).length
    expect(report.split('\n')[0]).toBe(
      `${count('carried')} carried, ${count('changed')} carried with a change, ${lost} not carried`,
    )
    expect(lost).toBe(11)
  })

  it.each([
    ['line 46: model_list[5]: there is no provider for bedrock: the deployment is left out'],
    ['line 58: router_settings.model_group_alias.nowhere: it stands for no model that is carried'],
    ['line 64: router_settings.redis_password: each process counts for itself'],
    ['line 74: litellm_settings.success_callback: there are no callbacks'],
    ['line 79: general_settings.database_url: keys and usage are kept in a database of its own: set `state`'],
    [
      'line 33: model_list[2].litellm_params.api_key: a key that is written out is not copied; put it into ANTHROPIC_API_KEY',
    ],
    ['line 42: model_list[4].litellm_params.api_key: a placeholder for a server that asks for no key; left out'],
    ['line 9: model_list[0].litellm_params.weight'],
  ])('says where each part is, and what has become of it: %s', (line) => {
    expect(linesOf(imported('litellm/team.yaml'))).toContain(line)
  })

  it('names the variables that are to be set', () => {
    expect(linesOf(imported('litellm/team.yaml')).find((line) => line.startsWith('set in the environment'))).toBe(
      'set in the environment: LANGFUSE_SECRET_KEY, AZURE_EU_KEY, OPENAI_API_KEY, GROQ_API_KEY, LITELLM_MASTER_KEY, ANTHROPIC_API_KEY',
    )
  })

  it('has each part of the source once or inside of what was left out as a whole', () => {
    const { notes } = ofLitellm(
      'model_list:\n  - { model_name: a, litellm_params: { model: sagemaker/x, api_key: k } }\n',
    )
    expect(notes.map(({ from, outcome }) => [from.join('.'), outcome])).toEqual([['model_list.0', 'lost']])
  })
})

describe('It is told that', () => {
  it.each([
    ['a setting is unknown', 'no_such: 1\n', 'line 1: no_such: no section that is known here'],
    [
      'a key is there twice',
      'litellm_settings:\n  request_timeout: 1\n  request_timeout: 2\n',
      'litellm_settings.request_timeout: there is another key of this name in the same object, which counts',
    ],
    [
      'a number is none',
      'litellm_settings: { request_timeout: soon }\n',
      'litellm_settings.request_timeout: found a string; allowed: seconds above 0',
    ],
    ['a file includes others', 'include: [models.yaml]\n', 'include[0]: a file of its own: import it too'],
    [
      'a parameter holds a secret',
      'model_list:\n  - { model_name: a, litellm_params: { model: openai/x, extra_body: { auth_token: hidden } } }\n',
      'model_list[0].litellm_params.extra_body.auth_token: it may hold a secret, which is not copied',
    ],
    [
      'an address is none',
      'model_list:\n  - { model_name: a, litellm_params: { model: openai/x, api_base: <your base> } }\n',
      'model_list[0].litellm_params.api_base: no http or https address',
    ],
    [
      'a fallback is no model',
      'model_list:\n  - { model_name: a, litellm_params: { model: openai/x } }\nlitellm_settings: { fallbacks: [{ a: [b] }] }\n',
      'litellm_settings.fallbacks[0].a[0]: it is no other model that is carried',
    ],
    [
      'a model’s name is a key',
      'model_list:\n  - { model_name: a, litellm_params: { model: sk-0123456789abcdefghij } }\n',
      'model_list[0].litellm_params.model: found a variable or what may be a key; allowed: provider/model',
    ],
  ])('%s', (_, text, line) => {
    const result = ofLitellm(text)
    expect(linesOf(result).map((told) => told.replace(/^line \d+: /, ''))).toContain(line.replace(/^line \d+: /, ''))
    expect(result.report).not.toMatch(/hidden|sk-0123/)
    expect(result.lost).toBeGreaterThan(0)
  })

  it.each([
    [
      'codes decide when to go on',
      { strategy: { mode: 'fallback', on_status_codes: [429] }, targets: [{ provider: 'groq' }] },
      'strategy.on_status_codes',
    ],
    [
      'answers are cached',
      { provider: 'groq', cache: { mode: 'simple' } },
      'cache: here `cache` has answers kept: set it',
    ],
    ['there are guardrails', { provider: 'groq', inputGuardrails: ['a'] }, 'inputGuardrails: there are no guardrails'],
    ['a provider is unknown', { provider: 'vertex-ai' }, 'there is no such provider'],
    [
      'the first of several targets counts',
      { targets: [{ provider: 'groq' }, { provider: 'openai' }] },
      'takes the first',
    ],
  ])('%s, in a configuration of Portkey’s', (_, value, told) => {
    const { report, lost } = ofPortkey(value)
    expect(report).toContain(told)
    expect(lost).toBeGreaterThan(0)
  })

  it('a name forges no lines of the report and no comments', () => {
    const name = 'x\n# not a comment\u2028*/ evil'
    const text = JSON.stringify({
      [name]: 1,
      model_list: [{ model_name: name, litellm_params: { model: 'bedrock/x' } }],
    })
    for (const format of ['yaml', 'ts'] as const) {
      const { output, report } = importConfiguration({ source: 'litellm', text, format })
      expect(output + report).not.toMatch(/^# not a comment|^\s*\*\/ evil/m)
    }
  })
})
