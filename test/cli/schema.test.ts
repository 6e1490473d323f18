import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { samewire } from '../support/cli.ts'

it('The schema of configurations is printed as it is kept', async () => {
  const { code, output } = await samewire('schema')
  expect(code).toBe(0)
  expect(output).toBe(await readFile(new URL('../../samewire.schema.json', import.meta.url), 'utf8'))
})
