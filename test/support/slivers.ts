import { createConnection } from 'node:net'

/** A one-byte chunk on the wire: its length, the byte, and two line ends. */
const sliver = Buffer.from('1\r\nx\r\n')
const perWrite = 10_000

/** HTTP/1.1 chunks of one byte each, joined for one write. Latin-1 only. */
export function slivers(text: string): Buffer {
  const bytes = Buffer.alloc(text.length * sliver.length)
  for (let at = 0; at < text.length; at++) {
    sliver.copy(bytes, at * sliver.length)
    bytes[at * sliver.length + 3] = text.charCodeAt(at)
  }
  return bytes
}

/**
 * POSTs `head`, then `filler` bytes of blanks, then `tail` to a server on loopback, in chunks of one byte each, no
 * faster than the server reads. Resolves with the whole response, or rejects if the connection breaks.
 */
export function uploadInSlivers(port: number, { head = '', filler = 0, tail = '' }): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ port, host: '127.0.0.1', noDelay: true })
    let answer = ''
    let answered = false
    socket.setEncoding('latin1')
    socket.on('data', (text: string) => {
      answer += text
      answered = true
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(answer))
    const blanks = slivers(' '.repeat(perWrite))
    const send = async () => {
      socket.write(
        'POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n' +
          'connection: close\r\ntransfer-encoding: chunked\r\n\r\n',
      )
      socket.write(slivers(head))
      for (let left = filler; left > 0 && !answered; left -= perWrite) {
        const piece = left >= perWrite ? blanks : blanks.subarray(0, left * sliver.length)
        if (!socket.write(piece)) await new Promise<void>((drained) => socket.once('drain', drained))
      }
      socket.write(slivers(tail))
      socket.write('0\r\n\r\n')
    }
    send().catch(reject)
  })
}
