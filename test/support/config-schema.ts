import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import { schemaFile } from '../../scripts/schema.ts'

const validate = new Ajv({ strict: false, allErrors: true }).compile(JSON.parse(readFileSync(schemaFile, 'utf8')))

/** Where a configuration differs from what editors take for one; empty if it doesn't. */
export function faultsIn(config: unknown): string[] {
  // As a file has it: a program may leave a key without a value.
  validate(JSON.parse(JSON.stringify(config)))
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`)
}
