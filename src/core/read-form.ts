import { Block } from '../wire/block.ts'
import { invalid } from '../wire/body.ts'
import { FormReader, modelTooLate } from '../wire/form.ts'
import { FormBody, Remainder } from '../wire/form-body.ts'
import type { Rest } from './transport.ts'

/** Bytes of a form that are kept, so that it can be sent again. */
const kept = 8 * 1024 * 1024
/**
 * Bytes of a larger one that are kept, so that it can be sent elsewhere if no connection comes about: workerd takes 64 KB
 * of a body before it has one.
 */
const leastKept = 128 * 1024
/** Bytes in which its model is looked for. OpenAI takes audio of 25 MB, and many clients send the file first. */
const searched = 26 * 1024 * 1024
/** Room for the piece in which that ends. */
const room = searched + 1024 * 1024

/**
 * Reads a form: all of a small one; of a large one until its model is known, `model` if that is given. The rest stays
 * where it is until it is sent. Rejects with a 400 at what is no form, or if there is no model in a large one.
 */
export function readForm({ source, length }: Rest, boundary: string, model?: string): Promise<FormBody<Rest>> {
  return new Promise((resolve, reject) => {
    const block = new Block(room, Math.min(length ?? 0, room))
    const reader = new FormReader(boundary)
    let settled = false
    const isNamed = () => model !== undefined || reader.parts.some(({ name, isFile }) => name === 'model' && !isFile)
    const refuse = (error: unknown) => {
      settled = true
      // What of it is still to come is read and dropped.
      block.take()
      source.cancel(error)
      reject(error)
    }
    const finish = (remainder?: Remainder<Rest>) => {
      settled = true
      try {
        resolve(new FormBody(block.take(), { boundary, parts: reader.parts }, remainder, model))
      } catch (error) {
        refuse(error)
      }
    }
    source.pipe({
      chunk(bytes) {
        if (settled) return
        block.add(bytes)
        try {
          reader.read(block.bytes)
        } catch (error) {
          return refuse(error)
        }
        const small = length === undefined ? block.size < kept : length <= kept
        if (small) return
        if (block.size < leastKept) return
        if (isNamed()) {
          source.pause()
          const rest = length === undefined ? undefined : length - block.size
          finish(new Remainder((begin) => ({ source, length: rest, begin })))
        } else if (block.size > searched) refuse(modelTooLate(searched))
      },
      end() {
        if (settled) return
        if (reader.ended) finish()
        else refuse(invalid('Could not parse multipart form: it ends before its last boundary.'))
      },
      fail: reject,
    })
  })
}
