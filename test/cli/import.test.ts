import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { folderOf, samewire } from '../support/cli.ts'

const model = `\ufeffmodel_list:
  - model_name: m
    litellm_params:
      model: groq/llama
`
const folder = await folderOf({
  'config.yaml': model,
  'lossy.yaml': `${model}litellm_settings:\n  callbacks: [langfuse]\n`,
  'there.json': '{}',
})
const source = join(folder, 'config.yaml')
const lossy = join(folder, 'lossy.yaml')

describe('The configuration of another gateway', () => {
  it('is printed as ours, and what became of it beside it', async () => {
    const { code, output, errors } = await samewire(`import litellm ${lossy}`)
    expect(code).toBe(0)
    expect(output).toMatch(/^providers:\n(.*\n)*models:\n(.*\n)*.*groq\/llama/m)
    expect(output).not.toContain('\ufeff')
    expect(errors).toContain('litellm_settings.callbacks')
  })

  it('fails if something is lost only with --strict', async () => {
    expect((await samewire(`import litellm ${lossy}`)).code).toBe(0)
    expect((await samewire(`import litellm ${lossy} --strict`)).code).toBe(1)
    expect((await samewire(`import litellm ${source} --strict`)).code).toBe(0)
  })

  it('fails if nothing of it could be carried over', async () => {
    const { code, errors } = await samewire('import litellm -', { input: 'model_list: { a: b }' })
    expect(code).toBe(1)
    expect(errors).toContain('model_list: found an object; allowed: a list')
  })

  it('is read from the standard input, and named', async () => {
    const input = JSON.stringify({ provider: 'groq', override_params: { model: 'llama' } })
    const { output } = await samewire('import portkey - --name chat --format json', { input })
    expect(Object.keys(JSON.parse(output).models)).toEqual(['chat'])
  })

  it.each([
    ['new.yml', /^providers:/m],
    ['new.json', /^\{\n/],
    ['new.mts', /^export default \{\n/],
  ])('is written to %s as its ending says', async (name, expected) => {
    const out = join(folder, name)
    expect(await samewire(`import litellm ${source} --out ${out}`)).toMatchObject({ code: 0, output: '' })
    expect(await readFile(out, 'utf8')).toMatch(expected)
  })

  it('is written over no file', async () => {
    const out = join(folder, 'there.json')
    expect(await samewire(`import litellm ${source} --out ${out}`)).toMatchObject({
      code: 1,
      errors: `${out} can't be written: it exists\n`,
    })
    expect(await readFile(out, 'utf8')).toBe('{}')
  })

  it.each([
    ['has a line in it that is wrong', 'import litellm -', 1, '-: line 1'],
    ['is not there', 'import litellm nowhere.yaml', 1, "nowhere.yaml can't be read: there is no such file\n"],
    ['is to be of no known kind', `import litellm ${source} --out x.toml`, 2, 'x.toml has none of the endings '],
    ['is of no known gateway', `import nginx ${source}`, 2, "error: command-argument value 'nginx' is invalid"],
    ['is missing', 'import litellm', 2, "error: missing required argument 'file'"],
  ])('that %s is told', async (_what, line, code, errors) => {
    const outcome = await samewire(line, { input: 'a: [' })
    expect(outcome).toMatchObject({ code, output: '', errors: expect.stringContaining(errors) })
  })
})
