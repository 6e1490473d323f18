interface FileReading {
  readFile(file: URL): Promise<Uint8Array>
}

/** As Node, Bun and Deno have it. */
declare const process: { getBuiltinModule?(name: string): FileReading | undefined } | undefined

/**
 * Reads a file that ships with the gateway. Asks for Node's file system only when it is needed, and in a way that no
 * bundler sees: where there is none, only the embedded model is missing.
 */
export async function loadAsset(name: string): Promise<Uint8Array> {
  const files = typeof process === 'object' ? process.getBuiltinModule?.('node:fs/promises') : undefined
  if (!files) throw new Error(`${name} can't be read: this runtime has no files`)
  return await files.readFile(new URL(`../../providers/${name}`, import.meta.url))
}
