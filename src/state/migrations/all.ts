import { first } from './0001.ts'
import { second } from './0002.ts'
import { third } from './0003.ts'
import { fourth } from './0004.ts'
import { fifth } from './0005.ts'
import { sixth } from './0006.ts'
import { seventh } from './0007.ts'
import { eighth } from './0008.ts'
import { ninth } from './0009.ts'

/** In order, each a list of statements. Only ever added to: what has run somewhere stays as it is. */
export const migrations: readonly (readonly string[])[] = [
  first,
  second,
  third,
  fourth,
  fifth,
  sixth,
  seventh,
  eighth,
  ninth,
]
