/** An answer read from a raw connection, with its chunks joined. */
export interface RawAnswer {
  readonly status: number
  readonly head: string
  readonly body: string
}

/** The answers in order, without the last one if it is incomplete. */
export function answersIn(received: string): RawAnswer[] {
  let rest = Buffer.from(received, 'latin1')
  const answers: RawAnswer[] = []
  for (;;) {
    const end = rest.indexOf('\r\n\r\n')
    if (end < 0) return answers
    const head = rest.subarray(0, end).toString('latin1')
    const taken = /^transfer-encoding: chunked/im.test(head) ? chunksOf(rest, end + 4) : lengthOf(rest, end + 4, head)
    if (!taken) return answers
    answers.push({ status: Number(head.slice(9, 12)), head, body: taken.body })
    rest = rest.subarray(taken.end)
  }
}

function lengthOf(bytes: Buffer, start: number, head: string): { body: string; end: number } | undefined {
  const end = start + Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0)
  return bytes.length < end ? undefined : { body: bytes.subarray(start, end).toString(), end }
}

function chunksOf(bytes: Buffer, start: number): { body: string; end: number } | undefined {
  let at = start
  let body = ''
  for (;;) {
    const line = bytes.indexOf('\r\n', at)
    if (line < 0) return
    const size = Number.parseInt(bytes.subarray(at, line).toString('latin1'), 16)
    const end = line + 2 + size + 2
    if (bytes.length < end) return
    if (size === 0) return { body, end }
    body += bytes.subarray(line + 2, end - 2).toString()
    at = end
  }
}
