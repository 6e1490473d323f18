import type { ConfigError } from '../config/problems.ts'
import { printable } from '../log.ts'
import { build, readJob } from '../node/build.ts'
import { chooseConfiguration } from '../node/configuration.ts'
import { watchStart } from '../node/watch.ts'
import type { Surroundings } from './command.ts'

export type Local = ReturnType<typeof build> & { readonly file: string }

/**
 * Builds the gateway of a configuration, which listens nowhere, and resolves with what `use` makes of it. Rejects with a
 * `ConfigError`.
 */
export async function withLocal<T>(
  named: string | undefined,
  { env, errors, folder }: Surroundings,
  use: (local: Local) => Promise<T> | T,
): Promise<T> {
  const { file, note } = await chooseConfiguration(named, env, folder)
  if (note) errors.write(`${printable(note)}\n`)
  const over = watchStart(file, (message) => {
    errors.write(`${message}\n`)
    process.exit(1)
  })
  try {
    const built = build(await readJob(file, env.HOST ?? '127.0.0.1', env), env)
    // A promise that the file rejected is told of only now.
    await new Promise((turn) => setImmediate(turn))
    return await Promise.resolve(use({ ...built, file })).finally(() => built.transport.close())
  } finally {
    over()
  }
}

/** What is wrong, by its place in the configuration; null where it is none of a place. */
export function problemsOf({ problems }: ConfigError): { path: string | null; message: string }[] {
  return problems.map((problem) => {
    const [, path = null, message = problem] = placed.exec(problem) ?? []
    return { path, message }
  })
}

/** What `pathText` of the configuration writes, and what stands behind it. */
const placed = /^(\(top level\)|(?:\.?[A-Za-z_$][\w$]*|\[(?:\d+|"(?:[^"\\]|\\.)*")\])+): (.*)$/s
