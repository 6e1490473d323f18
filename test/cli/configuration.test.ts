import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { chooseConfiguration, emptyConfig, usualNames } from '../../src/node/configuration.ts'
import { folderOf, samewire } from '../support/cli.ts'

const all = await folderOf(Object.fromEntries(usualNames.map((name) => [name, '{}'])))
const empty = await folderOf({ 'config.yaml': '{}' })

describe('The configuration', () => {
  it.each(usualNames)('is %s if that is in the folder', async (name) => {
    const folder = await folderOf({ [name]: '{}', '.env': '' })
    expect(await chooseConfiguration(undefined, {}, folder)).toEqual({ file: join(folder, name) })
  })

  it('is the one that is named, by the option before the variable', async () => {
    const env = { SAMEWIRE_CONFIG_FILE: 'by-variable.yaml' }
    expect(await chooseConfiguration('by-option.yaml', env, all)).toEqual({ file: 'by-option.yaml' })
    expect(await chooseConfiguration(undefined, env, all)).toEqual({ file: 'by-variable.yaml' })
  })

  it.each([empty, join(empty, 'nowhere')])(
    'is an empty one where there is none, not that of a clone',
    async (folder) => {
      expect(await chooseConfiguration(undefined, { SAMEWIRE_CONFIG_FILE: '' }, folder)).toEqual({ file: emptyConfig })
      expect(await loadConfig(emptyConfig)).toEqual({})
    },
  )

  it('is the first of several, and that is said', async () => {
    const folder = await folderOf({ 'samewire.yaml': '{}', 'samewire.json': '{}', 'samewire.config.json': '{}' })
    const { code, output, errors } = await samewire('check', { folder })
    expect([code, output.split('\n')[0]]).toEqual([0, `${join(folder, 'samewire.yaml')} is right.`])
    const said = 'samewire.yaml is used, and samewire.json, samewire.config.json are not: --config FILE chooses\n'
    expect(errors).toBe(said)
  })
})
