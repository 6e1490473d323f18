import type { Config } from '../config/schema.ts'
import type { Note } from './notes.ts'

/** What is made of another gateway's configuration. */
export interface Imported {
  readonly configuration: Config
  /** In no order. */
  readonly notes: readonly Note[]
  /** The environment's variables that the configuration needs, or that the source sets. */
  readonly variables: ReadonlySet<string>
}
