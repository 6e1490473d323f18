import { type Act, json } from './attempt.ts'
import type { Fault } from './faults.ts'
import type { Wire } from './wires.ts'

type Headers = Readonly<Record<string, string>>

const page = '<!doctype html><html><body><h1>Bad Gateway</h1></body></html>'
const ways = ['whole', 'stream'] as const
const sse = ['openai', 'huggingface'] as const

const answer =
  (status: number, body: (wire: Wire) => string, headers: Headers = {}): Act =>
  ({ response, wire }) =>
    response.writeHead(status, { ...json, ...headers }).end(body(wire))

const saying = (status: number, message: string, code?: string) => (wire: Wire) => wire.failure(message, code, status)

/** A status with an error that fits it. */
function refused(name: string, status: number, message: string, more: Partial<Fault> & { code?: string } = {}): Fault {
  const { code, ...rest } = more
  return { name, when: 'before', ways, act: answer(status, saying(status, message, code)), ...rest }
}

/** 429 with each form in which servers say when to come back. */
const limited: readonly (readonly [name: string, headers: () => Headers])[] = [
  ['without retry-after', () => ({})],
  ['retry-after 0', () => ({ 'retry-after': '0' })],
  ['retry-after 1', () => ({ 'retry-after': '1' })],
  ['retry-after 0.2', () => ({ 'retry-after': '0.2' })],
  ['retry-after of a day', () => ({ 'retry-after': '86400' })],
  ['retry-after below 0', () => ({ 'retry-after': '-1' })],
  ['retry-after that is a word', () => ({ 'retry-after': 'soon' })],
  ['retry-after, a date to come', () => ({ 'retry-after': new Date(Date.now() + 1_000).toUTCString() })],
  ['retry-after, a date gone by', () => ({ 'retry-after': 'Wed, 21 Oct 2015 07:28:00 GMT' })],
  ['retry-after-ms', () => ({ 'retry-after-ms': '50' })],
  ['ratelimit with t', () => ({ ratelimit: '"api";r=0;t=1' })],
  ['x-ratelimit-reset', () => ({ 'x-ratelimit-reset-requests': '1s', 'x-ratelimit-remaining-requests': '0' })],
]

/** Errors with a status of their own. */
export const refusals: readonly Fault[] = [
  ...limited.map(
    ([form, headers]): Fault => ({
      name: `429, ${form}`,
      when: 'before',
      ways,
      act: (attempt) => answer(429, saying(429, 'Slow down.'), headers())(attempt),
    }),
  ),
  refused('429, quota used up', 429, 'You exceeded your current quota.', { code: 'insufficient_quota' }),
  refused('401', 401, 'Incorrect API key provided.'),
  refused('402', 402, 'You have exceeded your monthly included credits.'),
  refused('403', 403, 'Not allowed.'),
  refused('404 for the model', 404, "model 'primary' not found", { code: 'model_not_found' }),
  refused(
    '400, no provider enabled',
    400,
    "The requested model 'p' is not supported by any provider you have enabled.",
    {
      wires: ['huggingface'],
    },
  ),
  refused('500', 500, 'The model fell over.'),
  { name: '500 without a body', when: 'before', ways, act: answer(500, () => '') },
  { name: '502 with a web page', when: 'before', ways, act: answer(502, () => page, { 'content-type': 'text/html' }) },
  refused('503', 503, 'Overloaded.'),
  refused('504', 504, 'Took too long.'),
  refused('529', 529, 'Overloaded.'),
  refused('context length exceeded', 400, "This model's maximum context length is 10 tokens.", {
    when: 'told',
    elsewhere: true,
    code: 'context_length_exceeded',
  }),
  refused('content policy', 400, 'The prompt triggered the content management policy.', {
    when: 'told',
    wires: sse,
    code: 'content_policy_violation',
  }),
  refused('invalid parameter', 400, 'temperature must be at most 2.', { when: 'told' }),
]
