import { shownName } from '../../keys.ts'
import { AttributeMemory, ProtobufAttributes, written } from './attributes.ts'
import type { ProtobufWriter } from './writer.ts'

/** Bytes of the length of most bodies. */
const room = 3

/** Opened parts of a body. */
export interface Frame {
  readonly resource: number
  readonly scope: number
}

/**
 * A resource, as bytes. Its attributes' names come from a configuration, and their values are the operator's own words.
 */
export function resourceOf(pairs: Readonly<Record<string, string>>): Uint8Array {
  return written((out) => {
    out.byte(0x0a)
    const resource = out.open()
    const attributes = new ProtobufAttributes(out, new AttributeMemory(1))
    for (const [name, value] of Object.entries(pairs)) attributes.id(shownName(name), value)
    out.close(resource)
  })
}

/** `ResourceSpans` and `ResourceMetrics` are alike: `{ resource = 1, scope_… = 2 { scope = 1, … = 2 } }`. */
export function openFrame(out: ProtobufWriter, resource: Uint8Array): Frame {
  out.byte(0x0a)
  const outer = out.open(room)
  out.piece(resource)
  out.byte(0x12)
  const scope = out.open(room)
  out.piece(own)
  return { resource: outer, scope }
}

export function closeFrame(out: ProtobufWriter, { resource, scope }: Frame): void {
  out.close(scope, room)
  out.close(resource, room)
}

/** `InstrumentationScope { name = 1 }`. */
const own = written((out) => {
  out.byte(0x0a)
  const scope = out.open()
  out.byte(0x0a)
  out.text('samewire')
  out.close(scope)
})
