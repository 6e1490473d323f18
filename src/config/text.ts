import { readFile } from 'node:fs/promises'

/** A file's text without the byte order mark that editors on Windows put before it. */
export async function readText(path: string): Promise<string> {
  const bytes = await readFile(path)
  // PowerShell's `>` writes this.
  if (/^(fffe|feff)/.test(bytes.toString('hex', 0, 2))) throw new Error('it is text in UTF-16; allowed: UTF-8')
  return bytes.toString('utf8').replace(/^\ufeff/, '')
}
