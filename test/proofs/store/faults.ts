import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { copyFile, mkdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Something that befalls a store. `begin` resolves once it has, with what ends it. */
export interface Fault {
  readonly name: string
  /** Milliseconds. */
  readonly lasts: number
  begin(): Promise<() => Promise<void>>
}

export function locked(path: string, lasts: number): Fault {
  return {
    name: `another program has the file locked for ${lasts / 1000} s`,
    lasts,
    async begin() {
      const script = fileURLToPath(new URL('./lock.ts', import.meta.url))
      const holder = spawn(process.execPath, [script, path], { stdio: ['pipe', 'pipe', 'inherit'] })
      await once(holder.stdout, 'data')
      return async () => {
        holder.stdin.end()
        await once(holder, 'exit')
      }
    },
  }
}

export function movedAway(path: string, lasts: number): Fault {
  return {
    name: 'the file is moved away, and put back',
    lasts,
    async begin() {
      await rename(path, `${path}.away`)
      return () => rename(`${path}.away`, path)
    },
  }
}

export function replaced(path: string, lasts: number): Fault {
  return {
    name: 'the file is replaced by a copy, and put back',
    lasts,
    async begin() {
      await rename(path, `${path}.away`)
      await copyFile(`${path}.away`, path)
      return () => rename(`${path}.away`, path)
    },
  }
}

/** `folder` is a file system of its own. */
export function diskFull(folder: string, lasts: number): Fault {
  return {
    name: 'the disk is full',
    lasts,
    async begin() {
      const filler = join(folder, 'filler')
      const file = openSync(filler, 'w')
      for (let block = Buffer.alloc(4096); block.length > 0; ) {
        try {
          if (writeSync(file, block) === 0) break
        } catch {
          block = Buffer.alloc(Math.floor(block.length / 2))
        }
      }
      closeSync(file)
      return async () => rmSync(filler)
    },
  }
}

/** A small file system in memory at `folder`, with what removes it; undefined where nobody may make one. */
export async function smallDisk(folder: string): Promise<(() => void) | undefined> {
  await mkdir(folder, { recursive: true })
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', folder], { stdio: 'ignore' })
    return () => execFileSync('umount', [folder])
  } catch {
    return undefined
  }
}
