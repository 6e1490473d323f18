import type { ExplainedTarget, Explanation } from '../explain.ts'
import { printable } from '../log.ts'
import { keyOption } from './address.ts'
import { asJSON, type Command, configOption, Failure, json, Misuse, type Surroundings } from './command.ts'
import { askGateway } from './running.ts'
import { tableLines } from './table.ts'

export const explain: Command = {
  name: 'explain',
  summary: 'Prints what would be done with a request, and asks no provider.',
  description: 'The request is on the standard input, or the smallest chat with the model that is named.',
  arguments: [{ syntax: '[model]', text: 'The model of a chat.', values: 'model' }],
  options: [
    asJSON,
    configOption,
    { syntax: '--url <URL>', text: `Asks the gateway that runs there, which knows its providers' state.` },
    keyOption,
  ],
  examples: [
    'samewire explain gpt-4o',
    'samewire explain --config samewire.yaml < request.json',
    'samewire explain gpt-4o --url http://127.0.0.1:8787 --json',
  ],
  async run(given, surroundings) {
    const { words, values, flags } = given
    if (values.url !== undefined && values.config !== undefined) {
      throw new Misuse('--url and --config exclude each other: a running gateway has its own')
    }
    const body = await requestOf(words[0], surroundings)
    const explanation =
      values.url === undefined
        ? await explainLocally(values.config, surroundings, body)
        : ((await askGateway('/explain', given, surroundings, body)) as Explanation)
    surroundings.output.write(flags.has('json') ? json(explanation) : `${textOf(explanation)}\n`)
    return 0
  },
}

async function requestOf(model: string | undefined, { input }: Surroundings): Promise<Uint8Array<ArrayBuffer>> {
  if (model !== undefined) {
    return new TextEncoder().encode(JSON.stringify({ model, messages: [{ role: 'user', content: 'Hello' }] }))
  }
  const { buffer } = await import('node:stream/consumers')
  const given = input.isTTY ? undefined : await buffer(input)
  if (!given?.toString().trim()) throw new Misuse('it needs a model, or a request on the standard input')
  return new Uint8Array(given)
}

async function explainLocally(
  config: string | undefined,
  surroundings: Surroundings,
  given: Uint8Array<ArrayBuffer>,
): Promise<Explanation> {
  const [{ withLocal }, { explainRoute }, { parseBody }, { GatewayError }] = await Promise.all([
    import('./local.ts'),
    import('../dialects/openai/explain.ts'),
    import('../wire/body.ts'),
    import('../wire/errors.ts'),
  ])
  return await withLocal(config, surroundings, async ({ gateway }) => {
    try {
      const { operation, body } = await explainRoute.request(parseBody(given), undefined)
      return await gateway.explain({ operation, body, session: undefined })
    } catch (error) {
      throw error instanceof GatewayError ? new Failure(error.message) : error
    }
  })
}

const columns: Readonly<Record<string, (target: ExplainedTarget, index: number) => string>> = {
  '#': (_, index) => String(index + 1),
  deployment: ({ deployment }) => deployment,
  why: ({ why }) => why,
  timeout: ({ timeout, stream_timeout: stream }) => `${timeout} s, streams ${Math.min(timeout, stream)} s`,
  retries: ({ retries }) => String(retries),
  price: ({ price }) => (price ? `$${price.input} / $${price.output}` : 'unknown'),
  breaker: ({ breaker: { state, due_in: due } }) => (state === 'closed' ? '' : `${state}, due in ${due} s`),
  changes: ({ changes: { set, drop }, dropped, refusal }) => {
    if (refusal) return `refused: ${refusal.message}`
    return [...set, ...[...drop, ...dropped].map((name) => `without ${name}`)].join(', ') || 'none'
  },
}

function textOf({ operation, model, attempts, skipped, error, ...rest }: Explanation): string {
  const lines = [`${operation} for ${model ?? 'no model'}`, '']
  if (attempts.length > 0) lines.push(...tableLines(columns, attempts).map((line) => `  ${line}`), '')
  for (const { name, reason, message } of skipped) lines.push(`  skipped ${name}: ${reason}: ${message}`)
  if (skipped.length > 0) lines.push('')
  if (error) {
    const then = attempts.length > 0 ? 'instead of the requested model, since' : 'the client gets'
    lines.push(`  ${then} ${error.status} ${error.code ?? ''}: ${error.message}`)
  }
  if (attempts.length > 0) {
    lines.push(
      `  if all fail, the client gets the failure that it can do most about, after ${rest.max_attempts} attempts`,
    )
    lines.push(`  or ${rest.request_timeout} s at most; on_exhausted: ${rest.on_exhausted}`)
  }
  return lines.map(printable).join('\n')
}
