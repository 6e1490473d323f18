import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { folder } from '../clients/install.ts'
import type { Suite } from './table.ts'

const run = promisify(execFile)
/** Milliseconds; the longest takes ten seconds on a machine that does nothing else. */
const timeout = 300_000
/** Tokens after which llmprobe stops: what it checks of the gateway needs 11,000, what it asks of the model comes after. */
const budget = '14000'

/** Published suites against a running gateway: what they call MUST counts, not how clever the model is. */
export async function runSuites(baseURL: string, model: string): Promise<Record<string, Suite>> {
  const results = await mkdtemp(join(tmpdir(), 'conformance-'))
  try {
    const [llmprobe, compatcanary] = await Promise.all([
      runLlmprobe(baseURL, model, join(results, 'llmprobe.json')),
      runCompatcanary(baseURL, model, join(results, 'canary.json')),
    ])
    return { llmprobe, compatcanary }
  } finally {
    await rm(results, { recursive: true })
  }
}

interface LlmprobeReport {
  readonly conformance: {
    readonly passed: number
    readonly total: number
    readonly results: readonly LlmprobeResult[]
  }
}

interface LlmprobeResult {
  readonly name: string
  readonly outcome: string
  readonly reason?: string
  readonly failures: readonly unknown[]
}

async function runLlmprobe(baseURL: string, model: string, file: string): Promise<Suite> {
  const quietly = ['--no-bench', '--no-save', '--no-color', '--budget', budget]
  await ran('llmprobe/bin/dist/llmprobe.mjs', [baseURL, '-k', 'any', '-m', model, ...quietly, '--save', file], file)
  const { conformance } = await read<LlmprobeReport>(file)
  const failed = conformance.results.filter(
    ({ outcome, reason = '' }) =>
      outcome === 'fail' || (outcome === 'skipped' && !reason.startsWith('not run at depth')),
  )
  return {
    passed: conformance.passed,
    total: conformance.total,
    failed: failed.map(({ name, reason, failures }) => `${name}: ${reason ?? JSON.stringify(failures).slice(0, 300)}`),
  }
}

interface CanaryReport {
  readonly summary: { readonly passes: number; readonly total: number }
  readonly results: readonly { readonly name: string; readonly status: string; readonly summary: string }[]
}

async function runCompatcanary(baseURL: string, model: string, file: string): Promise<Suite> {
  const target = ['--base-url', baseURL, '--model', model, '--api-key', 'any']
  await ran('compatcanary/src/cli.js', ['scan', ...target, '--format', 'json', '--output', file], file)
  const { summary, results } = await read<CanaryReport>(file)
  const failed = results.filter(({ status }) => status !== 'pass')
  return {
    passed: summary.passes,
    total: summary.total,
    failed: failed.map(({ name, summary }) => `${name}: ${summary}`),
  }
}

/** A suite that finds something ends with a code: its report says what. */
async function ran(program: string, args: readonly string[], report: string): Promise<void> {
  const command = [`${folder}node_modules/${program}`, ...args]
  await run(process.execPath, command, { timeout }).catch(async (error: Error) => {
    await readFile(report).catch(() => {
      throw error
    })
  })
}

const read = async <T>(file: string) => JSON.parse(await readFile(file, 'utf8')) as T
