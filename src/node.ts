import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { HttpBindings } from '@hono/node-server'
import { registry } from '../providers/index.ts'
import { assemble } from './assemble.ts'
import { findServers } from './config/find.ts'
import { loadConfig } from './config/load.ts'
import { ConfigError } from './config/problems.ts'
import { systemClock } from './core/clock.ts'
import type { Services } from './core/services.ts'
import { nodeEdge } from './runtime/node-edge.ts'
import { createNodeServer } from './runtime/node-server.ts'
import { createNodeTransport } from './runtime/node-transport.ts'
import { isLoopback, startText, urlOf } from './start-text.ts'

/** Milliseconds that streams may go on after the gateway was told to stop. */
const grace = 10_000

const usage = 'npm start -- [--config FILE] [--port N] [--host H]'

async function main(): Promise<void> {
  if (existsSync('.env')) process.loadEnvFile()
  const { config: file, host, port } = readArguments()
  const { env } = process
  const config = await loadConfig(file)
  const transport = createNodeTransport()
  const services: Services = {
    transport,
    clock: systemClock,
    random: Math.random,
    fetch: globalThis.fetch,
    asset: (name) => readFile(new URL(`../providers/${name}`, import.meta.url)),
    log: (message) => console.log(`${new Date().toISOString()} ${message}`),
  }
  const found = config.providers ? undefined : await findServers(registry, env, services)
  const { app, gateway, access } = assemble<HttpBindings>({
    config,
    source: file,
    registry,
    env,
    services,
    ...(found && { found }),
    edge: nodeEdge,
    withoutKeys: { mode: 'open' },
  })
  if (access.mode === 'open' && !isLoopback(host)) {
    throw new ConfigError(
      [`${host} can be reached from elsewhere and no key is set; set SAMEWIRE_KEY, or listen on 127.0.0.1`],
      'The address',
    )
  }
  const server = createNodeServer(app.fetch as Parameters<typeof createNodeServer>[0], services.random)
  server.on('error', (error: Error) => stopWith(`${urlOf(host, port)} can't be listened on: ${error.message}`))
  server.listen(port, host, async () => {
    const address = server.address()
    const actual = typeof address === 'object' && address ? address.port : port
    await gateway.knowledge.refresh()
    console.log(startText({ gateway, registry, url: urlOf(host, actual), access }))
  })

  const end = () => void transport.close().finally(() => process.exit(0))
  const stop = () => {
    // No new requests; those under way may end, unless the signal comes again.
    server.close(end)
    server.closeIdleConnections()
    setTimeout(end, grace).unref()
    process.once('SIGINT', end)
    process.once('SIGTERM', end)
  }
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
}

function readArguments(): { config: string; host: string; port: number } {
  const { values } = parseArgs({
    options: {
      config: { type: 'string' },
      host: { type: 'string' },
      port: { type: 'string' },
      help: { type: 'boolean' },
    },
  })
  if (values.help) {
    console.log(usage)
    process.exit(0)
  }
  const given = values.port ?? process.env.PORT ?? '8787'
  const port = Number(given)
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new ConfigError([`found ${given}; allowed: 0 to 65535`], values.port === undefined ? 'PORT' : '--port')
  }
  const usual = fileURLToPath(new URL('../samewire.config.ts', import.meta.url))
  return { config: values.config ?? usual, host: values.host ?? process.env.HOST ?? '127.0.0.1', port }
}

function stopWith(message: string): never {
  console.error(message)
  process.exit(1)
}

await main().catch((error: unknown) => {
  if (error instanceof ConfigError) stopWith(error.message)
  if (error instanceof TypeError && 'code' in error) stopWith(`${error.message}\n${usage}`)
  throw error
})
