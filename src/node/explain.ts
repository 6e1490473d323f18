import { buffer } from 'node:stream/consumers'
import { ConfigError } from '../config/problems.ts'
import type { Environment } from '../config/providers.ts'
import { explainRoute } from '../dialects/openai/explain.ts'
import type { ExplainedTarget, Explanation } from '../explain.ts'
import { printable } from '../log.ts'
import { parseBody } from '../wire/body.ts'
import { GatewayError } from '../wire/errors.ts'
import { build, type Job } from './build.ts'

/** Prints what would be done with the request on the standard input. Asks no provider. */
export async function explainInput(job: Job, env: Environment): Promise<void> {
  const { gateway, transport } = build(job, env)
  try {
    const { operation, body } = await explainRoute.request(parseBody(await buffer(process.stdin)), undefined)
    console.log(tableOf(await gateway.explain({ operation, body, session: undefined })))
  } catch (error) {
    throw error instanceof GatewayError ? new ConfigError([error.message], 'The request') : error
  } finally {
    await transport.close()
  }
}

const columns: Readonly<Record<string, (target: ExplainedTarget, index: number) => string>> = {
  '#': (_, index) => String(index + 1),
  deployment: ({ deployment }) => deployment,
  why: ({ why }) => why,
  timeout: ({ timeout, stream_timeout: stream }) => `${timeout} s, streams ${Math.min(timeout, stream)} s`,
  retries: ({ retries }) => String(retries),
  price: ({ price }) => (price ? `$${price.input} / $${price.output}` : 'unknown'),
  changes: ({ changes: { set, drop }, dropped, refusal }) => {
    if (refusal) return `refused: ${refusal.message}`
    return [...set, ...[...drop, ...dropped].map((name) => `without ${name}`)].join(', ') || 'none'
  },
}

function tableOf({ operation, model, attempts, skipped, error, ...rest }: Explanation): string {
  const lines = [`${operation} for ${model ?? 'no model'}`, '']
  if (attempts.length > 0) {
    const rows = attempts.map((target, index) => Object.values(columns).map((column) => column(target, index)))
    const all = [Object.keys(columns), ...rows]
    const widths = Object.keys(columns).map((_, at) => Math.max(...all.map((row) => row[at]?.length ?? 0)))
    lines.push(...all.map((row) => `  ${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  ')}`.trimEnd()), '')
  }
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
