import { installPortkey, portkey } from '../../bench/portkey.ts'
import { freePort } from '../../bench/workerd.ts'
import { limits } from './gateways.ts'
import { primary, spare } from './models.ts'
import type { Purpose, Target } from './target.ts'
import { probe, startNode } from './watched.ts'

/** Milliseconds after which a peer's answer counts as hung: far above its limits. */
const patience = 6_000

/** Starts Portkey's gateway, with the deployments, the fallback and the limits of the others. */
export async function startPortkey(upstream: string): Promise<Target> {
  await installPortkey()
  const closed = `http://127.0.0.1:${await freePort()}`
  const { command, env } = portkey(await freePort(), upstream)
  const [node = '', ...args] = command
  const process = await startNode({
    name: 'P',
    command: [node, ...probe, ...args],
    env,
    port: /localhost:(\d+)/,
  })
  return {
    name: 'Portkey 1.15.2',
    url: `http://127.0.0.1:${process.port}`,
    key: 'sk-portkey-faults-key',
    patience,
    process,
    route: (purpose, wire) => ({
      model: 'campaign',
      headers: { 'x-portkey-config': JSON.stringify(portkeyConfig({ upstream, closed, purpose, wire })) },
    }),
  }
}

interface Setting {
  readonly upstream: string
  /** An address where nothing listens. */
  readonly closed: string
  readonly purpose: Purpose
  readonly wire: string
}

function portkeyConfig({ upstream, closed, purpose, wire }: Setting): object {
  const address = purpose === 'refused' ? closed : upstream
  const named = purpose === 'campaign' || purpose === 'refused' ? primary : `${primary}-${purpose}`
  const shared = { api_key: 'sk-up', request_timeout: limits.timeout * 1000 }
  return {
    strategy: { mode: 'fallback' },
    targets: [
      { ...shared, ...providerAt(address, wire), override_params: { model: named } },
      { ...shared, ...providerAt(upstream, 'openai'), override_params: { model: spare } },
    ],
  }
}

function providerAt(address: string, wire: string): object {
  if (wire === 'huggingface') return { provider: wire, huggingface_base_url: `${address}/huggingface` }
  if (wire === 'ollama') return { provider: wire, custom_host: `${address}/ollama` }
  return { provider: 'openai', custom_host: `${address}/v1` }
}

/** A gateway that runs already, and whose owner has set it up as `instructions` says. */
export function running(url: string, options: { key: string; model: string; headers: readonly string[] }): Target {
  const headers = options.headers.map((text) => {
    const at = text.indexOf(':')
    return [text.slice(0, at).trim(), text.slice(at + 1).trim()]
  })
  return {
    name: url,
    url: url.replace(/\/(v1\/?)?$/, ''),
    key: options.key,
    patience,
    route: (purpose) => ({
      model: purpose === 'refused' ? `${options.model}-refused` : options.model,
      headers: Object.fromEntries(headers),
    }),
  }
}

/** What the gateway behind `--target` needs. */
export function instructions(url: string, upstream: string, model: string): string {
  return `${url} is to have these models, each with the fallback ${spare} at ${upstream}/v1 and the limits
  ${JSON.stringify(limits)} (seconds):
    ${model}           ${primary} at ${upstream}/v1
    ${model}-refused   ${primary} at an address where nothing listens`
}
