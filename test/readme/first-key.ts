import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import OpenAI from 'openai'
import { expect } from 'vitest'
import { bareEnv, run, startIn } from './children.ts'
import { folder } from './workspace.ts'

/** Runs both commands, the second while the first runs, and asks by the key as its owner would. Returns what the key says of itself. */
export async function firstKey([start = '', create = '']: readonly string[]): Promise<{ readonly data: unknown }> {
  const { env, words } = partsOf(start.replace('file:samewire.db', `file:${join(folder, 'first-key.db')}`))
  expect(words).toEqual(['npm', 'start'])
  await mkdir(folder, { recursive: true })
  const gateway = await startIn({ ...bareEnv, ...env })
  try {
    const asked = partsOf(create)
    expect(asked.words.slice(0, 2)).toEqual(['npx', 'samewire'])
    const args = ['src/node.js', ...asked.words.slice(2)]
    const { stdout } = await run(process.execPath, args, { ...bareEnv, ...asked.env, SAMEWIRE_URL: gateway.url })
    const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: stdout.trim() })
    const messages = [{ role: 'user' as const, content: 'hi' }]
    const { choices } = await client.chat.completions.create({ model: 'gpt-4o', messages })
    expect(choices[0]?.message.content).toMatch(/\w/)
    return await client.get('/key')
  } finally {
    await gateway.stop()
  }
}

/** Of a command: the variables before it, and its words. */
function partsOf(command: string): { readonly env: Record<string, string>; readonly words: readonly string[] } {
  const all = command.trim().split(/\s+/)
  const words = all.filter((word) => !/^[A-Z_]+=/.test(word))
  const env = all.slice(0, all.length - words.length).map((word) => word.split(/=(.*)/).slice(0, 2))
  return { env: Object.fromEntries(env), words }
}
