import { chat } from './chat.ts'
import { check } from './check.ts'
import type { Command } from './command.ts'
import { completion } from './completion.ts'
import { explain } from './explain.ts'
import { importCommand } from './import.ts'
import { keys } from './keys.ts'
import { models } from './models.ts'
import { schema } from './schema.ts'
import { start } from './start.ts'
import { usage } from './usage.ts'

/** In the order of the help. */
export const commands: readonly Command[] = [
  start,
  chat,
  models,
  explain,
  keys,
  usage,
  check,
  importCommand,
  schema,
  completion(() => commands),
]
