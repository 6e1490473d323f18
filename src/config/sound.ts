import * as v from 'valibot'
import { isObject } from '../wire/json.ts'
import { describeIssue, isUnknownKey } from './problems.ts'
import { type Config, configSchema } from './schema.ts'

/** A configuration without the parts that the schema rejects, so that the rest can be checked too. */
export interface Sound {
  /**
   * A provider or model that is wrong as a whole is an empty object here, so that its name stays known. A rejected list
   * entry is a hole, so that the others keep their indices. A missing key stays missing.
   */
  readonly config: Config
  /** Lines from `describeIssue`. */
  readonly problems: readonly string[]
  /** `providers` or `models` is not an object, so the names are unknown. */
  readonly nameless: boolean
}

/** Removes what the schema rejects, and reports why. The input is not changed. */
export function soundPart(input: unknown): Sound {
  const parsed = v.safeParse(configSchema, input)
  if (parsed.success) return { config: parsed.output, problems: [], nameless: false }
  const config = copy(input, depth)
  const problems: string[] = []
  let nameless = false
  let issues: readonly Issue[] = parsed.issues
  while (issues.length > 0) {
    for (const issue of issues) {
      const path = (issue.path ?? []).map(({ key }) => key)
      problems.push(describeIssue(issue))
      if (path.length === 1 && isListOfNames(path[0])) nameless = true
      remove(config, path)
    }
    // The schema reports one unknown key per object, so repeat until there are none left.
    issues = (v.safeParse(configSchema, config).issues ?? []).filter(isUnknownKey)
  }
  return { config: (isObject(config) ? config : {}) as Config, problems, nameless }
}

type Issue = v.BaseIssue<unknown>

/** Depth of the schema: `models.m.deployments[0].supports.tools`. */
const depth = 6

const isListOfNames = (key: unknown) => key === 'providers' || key === 'models'

function remove(config: unknown, path: readonly unknown[]): void {
  const last = path.at(-1)
  const holder = path
    .slice(0, -1)
    .reduce<unknown>((at, key) => (isHolder(at) ? Reflect.get(at, String(key)) : at), config)
  if (last === undefined || !isHolder(holder)) return
  if (path.length === 2 && isListOfNames(path[0])) Reflect.set(holder, String(last), {})
  else Reflect.deleteProperty(holder, String(last))
}

function isHolder(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

/** Copies lists and objects down to `levels`; anything below is shared. */
function copy(value: unknown, levels: number): unknown {
  if (levels === 0) return value
  if (Array.isArray(value)) return value.map((part) => copy(part, levels - 1))
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, copy(part, levels - 1)]))
}
