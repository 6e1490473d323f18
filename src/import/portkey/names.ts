import { Item, type Notes } from '../notes.ts'
import type { Path } from '../source.ts'

/** Portkey's libraries write `overrideParams` for `override_params`. */
function snakeCase(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

/** An object of a configuration, with its fields in snake case. */
export function itemOf(value: unknown, path: Path, notes: Notes): Item {
  return new Item(value, path, notes, snakeCase)
}
