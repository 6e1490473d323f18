import { chatFrames, json, reset, type Script, stream, text } from '../support/upstream.ts'

/** What a fault is to a client without a fallback, and whether another try could cure it. */
export interface Fault {
  readonly name: string
  readonly script: Script
  readonly status: number
  readonly code: string | null
  /** 1, or 3 where a retry could cure it. */
  readonly tries: number
  readonly only?: 'whole' | 'stream'
  /** The client's own mistake or a policy's word: no other model is asked. */
  readonly final?: true
}

const oneError = (message: string, code: string | null = null, type = 'server_error') => ({
  error: { message, type, param: null, code },
})
const bytes =
  (written: string): Script =>
  (_request, _response, socket) =>
    socket.end(written)

/** All that can go wrong before the first content. */
export const faults: readonly Fault[] = [
  { name: 'a reset', script: reset, status: 502, code: 'upstream_unreachable', tries: 3 },
  { name: 'a closed connection', script: bytes(''), status: 502, code: 'upstream_unreachable', tries: 3 },
  {
    name: 'bytes that are no HTTP',
    script: bytes('SSH-2.0\r\n\r\n'),
    status: 502,
    code: 'upstream_invalid_response',
    tries: 3,
  },
  {
    name: 'a header without end',
    script: bytes(`HTTP/1.1 200 OK\r\nx-long: ${'a'.repeat(200_000)}\r\n\r\n`),
    status: 502,
    code: 'upstream_invalid_response',
    tries: 3,
  },
  { name: '401', script: json(401, oneError('bad key')), status: 502, code: 'upstream_credentials_rejected', tries: 1 },
  { name: '403', script: json(403, oneError('no')), status: 502, code: 'upstream_credentials_rejected', tries: 1 },
  { name: '402', script: json(402, oneError('pay')), status: 429, code: 'insufficient_quota', tries: 1 },
  {
    name: '404 for the model',
    script: json(404, oneError('The model `m` does not exist')),
    status: 404,
    code: 'model_not_found',
    tries: 1,
  },
  { name: '404 for the route', script: text(404, '404 page not found'), status: 404, code: 'wrong_endpoint', tries: 1 },
  { name: '408', script: json(408, oneError('slow')), status: 504, code: 'upstream_timeout', tries: 1 },
  {
    name: '429',
    script: json(429, oneError('Rate limit reached')),
    status: 429,
    code: 'rate_limit_exceeded',
    tries: 3,
  },
  {
    name: '429 for want of quota',
    script: json(429, oneError('You exceeded your current quota', 'insufficient_quota')),
    status: 429,
    code: 'insufficient_quota',
    tries: 1,
  },
  { name: '409', script: json(409, oneError('conflict')), status: 502, code: 'upstream_error', tries: 3 },
  { name: '425', script: json(425, oneError('too early')), status: 502, code: 'upstream_error', tries: 3 },
  { name: '498', script: json(498, oneError('flex is full')), status: 503, code: 'capacity_exhausted', tries: 3 },
  { name: '410', script: json(410, oneError('gone')), status: 404, code: 'model_not_found', tries: 1 },
  { name: '500', script: json(500, oneError('oh')), status: 502, code: 'upstream_error', tries: 3 },
  { name: '500 without a word', script: text(500, ''), status: 502, code: 'upstream_error', tries: 3 },
  {
    name: '502 as a web page',
    script: text(502, '<html><h1>Bad Gateway</h1></html>', 'text/html'),
    status: 502,
    code: 'upstream_error',
    tries: 3,
  },
  { name: '503', script: json(503, oneError('busy')), status: 503, code: 'capacity_exhausted', tries: 3 },
  {
    name: '503 while loading',
    script: json(503, oneError('Loading model')),
    status: 503,
    code: 'temporarily_unavailable',
    tries: 3,
  },
  { name: '504', script: text(504, ''), status: 502, code: 'upstream_error', tries: 3 },
  { name: '529', script: json(529, oneError('overloaded')), status: 503, code: 'capacity_exhausted', tries: 3 },
  {
    name: 'a redirect',
    script: (_q, response) => response.writeHead(302, { location: '/x' }).end(),
    status: 502,
    code: 'upstream_invalid_response',
    tries: 3,
  },
  {
    name: '400',
    script: json(400, oneError('temperature is too high')),
    status: 400,
    code: null,
    tries: 1,
    final: true,
  },
  { name: '400 without a word', script: text(400, ''), status: 400, code: null, tries: 1, final: true },
  { name: '422', script: json(422, { detail: 'no such field' }), status: 422, code: null, tries: 1, final: true },
  {
    name: '400 of a content filter',
    script: json(400, oneError('The prompt triggered the content management policy', 'content_filter')),
    status: 400,
    code: 'content_policy_violation',
    tries: 1,
    final: true,
  },
  {
    name: '400 for a prompt that is too long',
    script: json(400, oneError('This model has a maximum context length is 10 tokens', 'context_length_exceeded')),
    status: 400,
    code: 'context_length_exceeded',
    tries: 1,
  },
  { name: 'a 200 with an error', script: json(200, oneError('oh')), status: 502, code: 'upstream_error', tries: 3 },
  {
    name: 'a 200 with an error that is text',
    script: json(200, { error: 'oh' }),
    status: 502,
    code: 'upstream_error',
    tries: 3,
  },
  {
    name: 'a 200 that is a web page',
    script: text(200, '<html>hi</html>', 'text/html'),
    status: 502,
    code: 'upstream_invalid_response',
    tries: 3,
  },
  {
    name: 'a 200 with cut JSON',
    script: json(200, '{"choices":[{"mess'),
    status: 502,
    code: 'upstream_invalid_response',
    tries: 3,
    only: 'whole',
  },
  { name: 'a 200 with nothing', script: text(200, ''), status: 502, code: 'upstream_invalid_response', tries: 3 },
  {
    name: 'a 200 without choices',
    script: json(200, { id: 'x' }),
    status: 502,
    code: 'upstream_invalid_response',
    tries: 3,
  },
  { name: 'a 200 that is a list', script: json(200, []), status: 502, code: 'upstream_invalid_response', tries: 3 },
  {
    name: 'a body shorter than its content-length',
    script: bytes('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{"choices":'),
    status: 502,
    code: 'upstream_stream_truncated',
    tries: 3,
    only: 'whole',
  },
  {
    name: 'a stream that opens with an error',
    script: stream([`data: ${JSON.stringify(oneError('oh'))}\n\n`]),
    status: 502,
    code: 'upstream_error',
    tries: 3,
    only: 'stream',
  },
  {
    name: 'an event called error',
    script: stream(['event: error\ndata: {"message":"oh"}\n\n']),
    status: 502,
    code: 'upstream_error',
    tries: 3,
    only: 'stream',
  },
  {
    name: 'a stream that closes empty',
    script: stream([]),
    status: 502,
    code: 'upstream_invalid_response',
    tries: 3,
    only: 'stream',
  },
  {
    name: 'a stream of comments',
    script: stream([': wait\n\n', ': wait\n\n']),
    status: 502,
    code: 'upstream_invalid_response',
    tries: 3,
    only: 'stream',
  },
  {
    name: 'a stream of [DONE] alone',
    script: stream(['data: [DONE]\n\n']),
    status: 502,
    code: 'upstream_invalid_response',
    tries: 3,
    only: 'stream',
  },
  {
    name: 'a stream with a role and no more',
    script: stream(chatFrames().slice(0, 1)),
    status: 502,
    code: 'upstream_invalid_response',
    tries: 3,
    only: 'stream',
  },
  {
    name: 'a stream that opens with no JSON',
    script: stream(['data: {"choi\n\n']),
    status: 502,
    code: 'upstream_invalid_response',
    tries: 3,
    only: 'stream',
  },
  {
    name: 'a stream that resets after the role',
    script: stream(chatFrames().slice(0, 1), 'reset'),
    status: 502,
    code: 'upstream_stream_truncated',
    tries: 3,
    only: 'stream',
  },
]
