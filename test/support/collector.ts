import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'
import { until } from './ask.ts'
import { type Attribute, attributesIn, type Point, pointsIn } from './metric-points.ts'
import { readMetrics, readTraces } from './otlp-protobuf.ts'

/** A span as OTLP's JSON has it. */
export interface SpanJSON {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly traceState?: string
  readonly flags: number
  readonly name: string
  readonly kind: number
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: readonly Attribute[]
  readonly status?: { readonly code: number }
}

/** A span for assertions: its attributes by name, and its times in milliseconds. */
export interface Span extends Omit<SpanJSON, 'attributes'> {
  readonly attributes: Readonly<Record<string, unknown>>
  readonly ms: number
}

/** A request as the collector got it. */
export interface Export {
  readonly path: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** JSON, whichever way it was sent. */
  readonly text: string
  /** As it came. */
  readonly bytes: Uint8Array<ArrayBuffer>
  /** When it came, in milliseconds of `performance.now()`. */
  readonly at: number
}

export interface Reaction {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}

/** Takes OTLP over a real port, and reacts as it is told; `undefined` means that it never answers. */
export interface FakeCollector {
  readonly url: string
  readonly exports: Export[]
  /** Reactions in order; the last one is repeated. */
  react(...reactions: (Reaction | undefined)[]): void
  /** Resolves with the spans of all exports that it took once there are `count`. */
  spans(count: number): Promise<readonly Span[]>
  /** Resolves with the points of metrics of all exports that it took once there are `count`, each in the order they came. */
  metrics(count: number): Promise<readonly (readonly Point[])[]>
  clear(): void
  /** Breaks off all connections. */
  hangUp(): void
  close(): Promise<void>
}

const taken: Reaction = { status: 200 }

export async function fakeCollector(): Promise<FakeCollector> {
  let reactions: (Reaction | undefined)[] = [taken]
  const exports: Export[] = []
  const spans: Span[] = []
  const metrics: Point[][] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const bytes = Buffer.concat(chunks)
    const isJSON = request.headers['content-type'] === 'application/json'
    const text = readable(
      request.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes,
      isJSON,
      request.url,
    )
    const reaction = reactions.length > 1 ? reactions.shift() : reactions[0]
    if (reaction?.status === 200 && request.url?.endsWith('/v1/metrics')) metrics.push(pointsIn(text))
    else if (reaction?.status === 200) spans.push(...spansIn(text))
    exports.push({
      path: request.url ?? '',
      headers: request.headers,
      text,
      bytes: new Uint8Array(bytes),
      at: performance.now(),
    })
    if (!reaction) return
    const type = isJSON ? 'application/json' : 'application/x-protobuf'
    response.writeHead(reaction.status, { 'content-type': type, ...reaction.headers })
    response.end(reaction.body ?? (isJSON ? '{}' : undefined))
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    exports,
    react(...next) {
      reactions = next
    },
    async spans(count) {
      await until(() => spans.length >= count)
      return spans
    },
    async metrics(count) {
      await until(() => metrics.length >= count)
      return metrics
    },
    clear() {
      reactions = [taken]
      exports.length = 0
      spans.length = 0
      metrics.length = 0
    },
    hangUp: () => server.closeAllConnections(),
    close: () =>
      new Promise((closed) => {
        server.close(() => closed())
        server.closeAllConnections()
      }),
  }
}

function readable(bytes: Buffer, isJSON: boolean, path = ''): string {
  if (isJSON) return bytes.toString()
  return JSON.stringify(path.endsWith('/v1/metrics') ? readMetrics(bytes) : readTraces(bytes))
}

interface Payload {
  readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly SpanJSON[] }[] }[]
}

function spansIn(text: string): Span[] {
  const { resourceSpans } = JSON.parse(text) as Payload
  return resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans.map(spanOf)))
}

function spanOf(span: SpanJSON): Span {
  const attributes = attributesIn(span.attributes)
  return { ...span, attributes, ms: Number(BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano)) / 1e6 }
}
