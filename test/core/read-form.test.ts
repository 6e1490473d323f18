import { describe, expect, it, vi } from 'vitest'
import { Pump } from '../../src/core/pump.ts'
import { readForm } from '../../src/core/read-form.ts'

const head = new TextEncoder().encode('--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n')
const piece = new Uint8Array(64 * 1024)
const megabyte = 1024 * 1024

/** Reads a form whose file comes first and has no end, and tells how large the blocks were that larger ones replaced. */
async function replacedBy(length: number | undefined): Promise<{ readonly replaced: number; readonly read: number }> {
  const freed: number[] = []
  const { transfer } = ArrayBuffer.prototype
  const spy = vi.spyOn(ArrayBuffer.prototype, 'transfer').mockImplementation(function (this: ArrayBuffer, size) {
    freed.push(this.byteLength)
    return transfer.call(this, size)
  })
  let stopped = false
  const pump = new Pump({
    cancel() {
      stopped = true
    },
  })
  const form = readForm({ source: pump, length }, 'b')
  let read = head.length
  pump.push(head)
  for (; !stopped && read < 40 * megabyte; read += piece.length) pump.push(piece)
  await expect(form).rejects.toMatchObject({ status: 400, param: 'model' })
  spy.mockRestore()
  return { replaced: Math.max(0, ...freed), read }
}

describe('A form whose model is nowhere at its beginning', () => {
  it('is read up to its limit, into one block, where its length is known', async () => {
    const { replaced, read } = await replacedBy(200 * megabyte)
    expect(read).toBeGreaterThan(26 * megabyte)
    expect(read).toBeLessThan(26.2 * megabyte)
    expect(replaced).toBeLessThan(megabyte)
  })

  it('is never copied at its full size, also where its length is unknown', async () => {
    const { replaced } = await replacedBy(undefined)
    expect(replaced).toBeLessThan(17 * megabyte)
  })
})
