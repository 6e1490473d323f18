/** Bodies designed to keep a JSON parser busy for as long as possible, and honest ones that look like them. */
export interface Hostile {
  readonly what: string
  /** A body of about `size` bytes for the model `name`. */
  readonly make: (name: string, size: number) => Uint8Array
  /** The message of its error; undefined if it is served. */
  readonly refused?: RegExp
}

type Part = string | ((at: number) => string)

const encoder = new TextEncoder()
const user = '{"role":"user","content":"hi"}'
const front = (name: string) => `{"model":"${name}","messages":[${user}]`

/** `count` parts in a row. */
function row(part: Part, count: number): string {
  if (typeof part === 'string') return part.repeat(count)
  return Array.from({ length: count }, (_, at) => part(at)).join('')
}

const widthOf = (part: Part) => encoder.encode(typeof part === 'string' ? part : part(999_999)).length

/** A request with as many parts as fit into `size`, between `open` and `close`. */
function full(open: string, part: Part, close: string): Hostile['make'] {
  return (name, size) => {
    const head = front(name) + open
    return encoder.encode(head + row(part, Math.floor((size - head.length - close.length) / widthOf(part))) + close)
  }
}

/** The limits in the README, for a body of `size` bytes. */
const keysFor = (size: number) => Math.max(2_048, Math.floor(size / 256)) - 20
const partsFor = (size: number) => Math.max(50_000, Math.floor(size / 64)) - 40

/** A request with as many parts as the gateway allows, and a long text to reach the size. */
function filled(open: string, part: Part, close: string, count: (size: number) => number): Hostile['make'] {
  return (name, size) => {
    const head = `{"pad":"`
    const rest = `",${(front(name) + open).slice(1)}`
    const room = Math.floor((size - head.length - rest.length - close.length - 600) / widthOf(part))
    const body = rest + row(part, Math.min(room, Math.floor(count(size)))) + close
    return encoder.encode(head + 'a'.repeat(Math.max(600, size - head.length - body.length)) + body)
  }
}

const distinct = (at: number) => `,"k${at}":1`
const list = ',"x":[0'
const object = ',"x":{"a":1'
/** After the messages that every request has, in the same list. */
const more = (part: Part): Hostile['make'] => full('', part, ']}')
const inMessages =
  (make: Hostile['make']): Hostile['make'] =>
  (name, size) =>
    reopened(make(name, size), `[${user}]`)

/** The body without the bracket that closes its messages. */
function reopened(bytes: Uint8Array, closed: string): Uint8Array {
  const at = Buffer.from(bytes.buffer).indexOf(closed) + closed.length
  bytes[at - 1] = 32
  return bytes
}

const parts = /more than \d+ parts/
const fields = /more than 4096 fields/
const keys = /more than \d+ different keys/
const depth = /nests deeper than 256 levels/
const noJson = /could not parse the JSON body/

export const refused: readonly Hostile[] = [
  { what: 'different fields', make: full('', distinct, '}'), refused: /fields|different keys/ },
  { what: 'duplicate models', make: full('', ',"model":"p/m"', '}'), refused: fields },
  { what: 'models spelt with escapes', make: full('', ',"\\u006dodel":"p/m"', '}'), refused: fields },
  { what: 'a second model behind a text', make: behindText(',"\\u006dodel":"p/n"'), refused: /more than once/ },
  { what: 'a second model far in spaces', make: full(',"model":"p/n"', ' ', '}'), refused: /more than once/ },
  { what: 'different keys in an object', make: full(object, distinct, '}}'), refused: keys },
  {
    what: 'keys that are numbers',
    make: full(object, (at) => `,"${(at * 7919) % 100_000_007}":1`, '}}'),
    refused: parts,
  },
  { what: 'keys spelt with escapes', make: full(object, (at) => `,"\\u006d${at}":1`, '}}'), refused: keys },
  { what: 'objects with a key of their own', make: full(list, (at) => `,{"k${at}":1}`, ']}'), refused: keys },
  { what: 'the same key', make: full(object, ',"a":1', '}}'), refused: parts },
  { what: 'prototypes', make: full(list, ',{"__proto__":{}}', ']}'), refused: parts },
  { what: 'nested models', make: full(list, ',{"model":1}', ']}'), refused: parts },
  { what: 'empty objects', make: full(list, ',{}', ']}'), refused: parts },
  { what: 'empty lists', make: full(list, ',[]', ']}'), refused: parts },
  { what: 'lists in lists', make: full(list, ',[[[[]]]]', ']}'), refused: parts },
  { what: 'empty texts', make: full(list, ',""', ']}'), refused: parts },
  { what: 'short texts', make: full(list, (at) => `,"k${at}"`, ']}'), refused: parts },
  { what: 'short messages', make: inMessages(more(`,${user}`)), refused: parts },
  { what: 'lists that open', make: full(',"x":', '[', ''), refused: depth },
  { what: 'objects that open', make: full(',"x":', '{"a":', ''), refused: depth },
  { what: 'lists that open and close', make: nested('[', ']'), refused: depth },
  { what: 'lists that close', make: full(list, ']', ']}'), refused: noJson },
  { what: 'commas', make: full(list, ',', ']}'), refused: parts },
  { what: 'colons', make: full('', ':', '}'), refused: noJson },
  { what: 'quotes', make: full('', '"', '}'), refused: parts },
  { what: 'spaces', make: (_, size) => new Uint8Array(size).fill(32), refused: noJson },
  { what: 'zero bytes', make: (_, size) => new Uint8Array(size), refused: noJson },
  { what: 'a byte order mark', make: marked, refused: noJson },
  { what: 'a text without an end', make: full(',"x":"', 'a', ''), refused: noJson },
  { what: 'a text that ends in a backslash', make: full(',"x":"', '\\\\', '\\"}'), refused: noJson },
  { what: 'a text that is not UTF-8', make: broken, refused: /not valid UTF-8/ },
  { what: 'a cut body', make: full(list, ',12345', ''), refused: noJson },
]

export const served: readonly Hostile[] = [
  { what: 'a text', make: full(',"x":"', 'a', '"}') },
  { what: 'a text of escapes', make: full(',"x":"', '\\n', '"}') },
  { what: 'unpaired surrogates', make: full(',"x":"', '\\ud800', '"}') },
  { what: 'a text of many alphabets', make: full(',"x":"', 'Ж日👩', '"}') },
  { what: 'brackets in a text', make: full(',"x":"', '[', '"}') },
  { what: 'JSON in a text', make: full(',"x":"', '{\\"model\\":1},', '"}') },
  { what: 'a long key', make: full(',"', 'k', '":1}') },
  { what: 'long keys', make: full(object, (at) => `,"${'k'.repeat(600)}${at}":1`, '}}') },
  { what: 'spaces between', make: full(list, ' \n', ']}') },
  { what: 'spaces behind model', make: spaced },
  { what: 'a number', make: full(',"x":1', '7', '}') },
  { what: 'decimals of a number', make: full(',"x":0.', '7', '}') },
  { what: 'an exponent', make: full(',"x":1e', '7', '}') },
  { what: 'token ids', make: full(list, (at) => `,${10_000 + ((at * 7919) % 90_000)}`, ']}') },
  { what: 'an image', make: full(',"x":"data:image/png;base64,', 'iVBORw0KGgoAAAANSUhEUg', '"}') },
  { what: 'texts of a line', make: full(list, `,"${'A line of prose, as files have them. '.repeat(3)}"`, ']}') },
  {
    what: 'messages of a page',
    make: inMessages(more(`,{"role":"user","content":"${'It was a dark and stormy night. '.repeat(40)}"}`)),
  },
  { what: 'all fields', make: filled('', distinct, '}', () => 2_000) },
  { what: 'all different keys', make: filled(object, distinct, '}}', keysFor) },
  {
    what: 'all keys that are numbers',
    make: filled(
      object,
      (at) => `,"${at * 7919}":1`,
      '}}',
      (size) => partsFor(size) / 2.1,
    ),
  },
  { what: 'all objects with a key of their own', make: filled(list, (at) => `,{"k${at}":{}}`, ']}', keysFor) },
  {
    what: 'all messages with a key of their own',
    make: inMessages(
      filled(
        '',
        (at) => `,{"role":"user","k${at}":1}`,
        ']}',
        (size) => Math.min(keysFor(size), partsFor(size) / 4.2),
      ),
    ),
  },
  { what: 'all empty lists', make: filled(list, ',[]', ']}', (size) => partsFor(size) / 1.1) },
  { what: 'all empty objects', make: filled(list, ',{}', ']}', (size) => partsFor(size) / 1.1) },
  {
    what: 'all short texts',
    make: filled(
      list,
      (at) => `,"k${at}"`,
      ']}',
      (size) => partsFor(size) / 1.1,
    ),
  },
  { what: 'all same keys', make: filled(object, ',"\\u006d":1', '}}', (size) => partsFor(size) / 1.1) },
  { what: 'all messages', make: inMessages(filled('', `,${user}`, ']}', (size) => partsFor(size) / 5.2)) },
  { what: 'all digits', make: filled(list, ',1', ']}', (size) => partsFor(size) * 16) },
  {
    what: 'all decimals beside another alphabet',
    make: filled(`,"é":"日"${list}`, ',1.5', ']}', (size) => partsFor(size) * 15),
  },
  { what: 'numbers between two others', make: full(list, ',17976931348623158079e289', ']}') },
  { what: 'numbers that are next to nothing', make: full(list, ',2.4703282292062327208e-324', ']}') },
  {
    what: 'all texts of a word',
    make: filled(
      list,
      (at) => `,"Buchstabe ${at}"`,
      ']}',
      (size) => partsFor(size) / 1.1,
    ),
  },
  { what: 'texts that are almost long', make: full(list, `,"${'é'.repeat(255)}"`, ']}') },
  { what: 'all decimals', make: filled(list, ',1.5', ']}', (size) => partsFor(size) * 16) },
]

function behindText(second: string): Hostile['make'] {
  return full(',"x":"', 'a', `"${second}}`)
}

function nested(open: string, close: string): Hostile['make'] {
  return (name, size) => {
    const levels = Math.floor(size / 2)
    return encoder.encode(`${front(name)},"x":${open.repeat(levels)}${close.repeat(levels)}}`)
  }
}

function marked(name: string, size: number): Uint8Array {
  return encoder.encode(`\ufeff${Buffer.from(full(',"x":"', 'a', '"}')(name, size)).toString()}`)
}

/** A long text whose last byte is a stray UTF-8 continuation byte. */
function broken(name: string, size: number): Uint8Array {
  const bytes = full(',"x":"', 'a', '"}')(name, size)
  bytes[bytes.length - 3] = 0x80
  return bytes
}

function spaced(name: string, size: number): Uint8Array {
  return encoder.encode(`{"messages":[${user}],"model"${' '.repeat(size - 64)}:"${name}"}`)
}
