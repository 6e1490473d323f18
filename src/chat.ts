import { parseArgs } from 'node:util'
import OpenAI from 'openai'
import { chatLoop } from './chat/loop.ts'
import { systemClock } from './core/clock.ts'
import { readEnvFile } from './node/env-file.ts'

const usage = 'npm run chat -- [--base-url URL] [--model NAME] [--key KEY]'

function readArguments() {
  const { values } = parseArgs({
    options: {
      'base-url': { type: 'string' },
      model: { type: 'string' },
      key: { type: 'string' },
      help: { type: 'boolean' },
    },
  })
  const { env } = process
  return {
    help: values.help ?? false,
    model: values.model,
    baseURL: values['base-url'] ?? (env.SAMEWIRE_URL || 'http://127.0.0.1:8787/v1'),
    // The client refuses to start without a key; a gateway that needs none ignores it.
    apiKey: values.key ?? (env.SAMEWIRE_KEY || 'none'),
  }
}

/** Chats in the terminal, using the same client library as other programs. */
async function main(): Promise<void> {
  await readEnvFile(process.env).catch((error: Error) => {
    throw new Error(`.env: ${error.message}`)
  })
  const { help, model, baseURL, apiKey } = readArguments()
  if (help) return console.log(usage)
  if (!URL.canParse(baseURL)) throw new Error(`${baseURL} is no address.`)
  // The gateway retries by itself, and the user's OpenAI organization and project must not be sent to it.
  const client = new OpenAI({ baseURL, apiKey, organization: null, project: null, maxRetries: 0 })
  const { stdin: input, stdout: output } = process
  await chatLoop({ client, clock: systemClock, input, output, model, signals: process, color: !process.env.NO_COLOR })
}

try {
  await main()
} catch (error) {
  // Messages of `parseArgs` and the client's constructor about wrong arguments are meant for the user.
  console.error(`${error instanceof Error ? error.message : error}\n${usage}`)
  process.exitCode = 1
}
