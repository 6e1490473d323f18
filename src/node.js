#!/usr/bin/env node
import { existsSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'

// An old Node is to say that it is one, so nothing in this file is newer than Node 12, and all else comes after the check.
const { engines, scripts } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))

/** Whether this is the npm package, which has a build in place of the sources: Node takes no types away in there. */
const isBuilt = !existsSync(new URL('./node/main.ts', import.meta.url))

/** Why this Node can't run the gateway, or undefined. */
function obstacle() {
  const needed = engines.node.replace('>=', '')
  const [major, minor] = needed.split('.').map(Number)
  const [ownMajor, ownMinor] = process.versions.node.split('.').map(Number)
  if (ownMajor < major || (ownMajor === major && ownMinor < minor)) {
    return `samewire needs Node ${needed} or newer, and this is ${process.versions.node}`
  }
  // Some later ones do so only when they are told to.
  return process.features.typescript ? undefined : `samewire needs a Node that reads TypeScript, and this one doesn't`
}

/** Whether the gateway is to start, so that the commands need not be loaded: they would delay every start. */
function starts([first = 'start', ...rest]) {
  const asks = [first, ...rest].some((word) => ['--help', '-h', '--version', '-v'].includes(word))
  return (first === 'start' || first.startsWith('-')) && !asks
}

/**
 * `npm start` passes three flags to V8, which workers inherit; V8 takes them on its command line only, before anything
 * here runs. The space for young objects stays at 2 × 8 MB: it would begin with 2 × 1 MB, too little for a start, and
 * grow to 2 × 64 MB, for little less CPU. And the heap may grow fourfold before all of it is collected: V8 counts the
 * bodies of requests as a part of it, and after an idle time large ones had it collected ten times a second.
 *
 * The command `samewire` can't pass them: it has this process replaced by one that has them, where the system can. Its
 * id, its files and its terminal stay.
 */
function takeFlags() {
  const isCommand = basename(process.argv[1] || '') === 'samewire'
  if (!isCommand || process.platform === 'win32' || !process.execve || process.channel) return
  const flags = scripts.start.split(' ').filter((word) => word.startsWith('--'))
  const nameOf = (flag) => flag.split('=')[0].replace(/_/g, '-')
  const given = new Set([...process.execArgv, ...(process.env.NODE_OPTIONS || '').split(' ')].map(nameOf))
  if (flags.some((flag) => given.has(nameOf(flag)))) return
  process.execve(process.execPath, [process.execPath, ...process.execArgv, ...flags, ...process.argv.slice(1)])
}

async function run(args) {
  const isStart = starts(args)
  if (isStart) takeFlags()
  // Half of a start is reading types away and compiling: kept, so that the next one need not do it again. Through the
  // environment, since worker processes are to have it too. This file alone is JavaScript: it comes before the cache,
  // and for its types alone Node would load its compiler at every start.
  const { enableCompileCache, flushCompileCache } = await import('node:module')
  const cache =
    process.env.NODE_COMPILE_CACHE || fileURLToPath(new URL('../node_modules/.cache/compile', import.meta.url))
  process.env.NODE_COMPILE_CACHE = cache
  enableCompileCache(cache)

  const load = (name) => import(isBuilt ? `../dist/package/${name}.js` : `./${name}/main.ts`)
  const { main } = await load(isStart ? 'node' : 'cli')
  const isUnderstood = await main(args)
  // What is wrong with the options is told by who knows all of them.
  if (!isUnderstood) await (await load('cli')).main(args)
  flushCompileCache()
}

const why = obstacle()
if (why === undefined) run(process.argv.slice(2))
else {
  console.error(isBuilt ? `${why}.` : `${why}. \`npm ci\` installs one, which \`npm start\` then takes.`)
  process.exitCode = 1
}
