/** A stream as some server sends it, and what every client should read in it. */
export interface OddStream {
  readonly what: string
  /** The server that was seen to do so, and where that is told; empty: it is a variant of another row. */
  readonly seen: string
  readonly text: string
  readonly says: Said
}

export interface Said {
  readonly text: string
  readonly calls: readonly { readonly name: string; readonly arguments: string }[]
  readonly finish: string
}

const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 }
const base = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1_700_000_000, model: 'm' }
const done = 'data: [DONE]\n\n'

type Fields = Readonly<Record<string, unknown>>

const frame = (value: unknown) => `data: ${JSON.stringify(value)}\n\n`
const choice = (delta: unknown, finish: unknown = null, more: Fields = {}) => ({
  index: 0,
  delta,
  finish_reason: finish,
  ...more,
})
const chunk = (delta: unknown, finish: unknown = null, more: Fields = {}) =>
  frame({ ...base, choices: [choice(delta, finish)], ...more })
const first = chunk({ role: 'assistant', content: '' })
const hel = chunk({ content: 'Hel' })
const lo = chunk({ content: 'lo' })
const stop = chunk({}, 'stop')
const spent = frame({ ...base, choices: [], usage })
const whole = [first, hel, lo, stop, spent, done]
const all = (frames: readonly string[]) => frames.join('')

const hello: Said = { text: 'Hello', calls: [], finish: 'stop' }
const x1 = { name: 'f', arguments: '{"x":1}' }
const y2 = { name: 'g', arguments: '{"y":2}' }
const called = (...calls: Said['calls']): Said => ({ text: '', calls, finish: 'tool_calls' })

/** Every chunk of the plain stream, changed. */
function each(change: (chunk: Record<string, unknown>, at: number) => unknown): string {
  const chunks = whole.slice(0, -1).map((text, at) => change(JSON.parse(text.slice(6)), at))
  return all([...chunks.map(frame), done])
}

/** Every choice of the plain stream, changed. */
const eachChoice = (change: (choice: Record<string, unknown>) => unknown) =>
  each(({ choices, ...rest }) => ({ ...rest, choices: (choices as Record<string, unknown>[]).map(change) }))

const eachDelta = (change: (delta: Record<string, unknown>, at: number) => unknown) => {
  let at = 0
  return eachChoice(({ delta, ...rest }) => ({ ...rest, delta: change(delta as Record<string, unknown>, at++) }))
}

/** The plain stream as Foundry Local sends it: the role in each delta, and the same as a message beside it. */
const counting = (from: number) => {
  let index = from
  return eachChoice(({ delta, ...rest }) => {
    const said = { ...(delta as object), role: 'assistant', tool_calls: [], function_call: null }
    return { ...rest, delta: said, message: said, index: index++ }
  })
}

/** A stream of tool calls: one delta for each value of `tool_calls`. */
const calling = (deltas: readonly unknown[], finish: unknown = 'tool_calls') =>
  all([first, ...deltas.map((calls) => chunk({ tool_calls: calls })), chunk({}, finish), spent, done])

const opening = { index: 0, id: 'call_a', type: 'function', function: { name: 'f', arguments: '' } }
const rest = { index: 0, function: { arguments: '{"x":1}' } }
const without = (value: object, ...keys: string[]) =>
  Object.fromEntries(Object.entries(value).filter(([key]) => !keys.includes(key)))
const call = (fn: Fields, more: Fields = {}) => ({ index: 0, id: 'call_a', type: 'function', function: fn, ...more })

/** A piece with everything but an index. */
const repeated = (id: string, text: string) => ({ id, type: 'function', function: { name: 'f', arguments: text } })

const text = (what: string, seen: string, stream: string, says = hello): OddStream => ({
  what,
  seen,
  text: stream,
  says,
})

/** Streams that at least one of the clients in `parsers.ts`, or one that it stands for, can't read as they are. */
export const oddStreams: readonly OddStream[] = [
  // Events
  text(
    'empty `data:` as keep-alive',
    'proxies: netease-lcap/wave-agent#1326, Growth-Circle/cadis#2329',
    all([first, 'data:\n\n', hel, 'data: \n\n', lo, stop, spent, done]),
  ),
  text('`data: {}` as keep-alive', '', all([first, 'data: {}\n\n', hel, lo, stop, spent, done])),
  text('`data: null` first', 'llama.cpp, several prompts', all(['data: null\n\n', ...whole])),
  text(
    'no space after `data:`',
    'Spring: openai/openai-python#498; Kimi Code: nullclaw/nullclaw#509',
    all(whole).replaceAll('data: ', 'data:'),
  ),
  text('`data:` twice', 'paiml/aprender#2015', all(whole).replaceAll('data: ', 'data: data: ')),
  text(
    '`data:` twice, and an empty line of data',
    'paiml/aprender#2015, as its library writes it',
    all(whole).replaceAll('data: ', 'data: data: ').replaceAll('\n\n', '\ndata: \n\n'),
  ),
  text('lines that end in CRLF', '', all(whole).replaceAll('\n', '\r\n')),
  text('lines that end in CR', '', all(whole).replaceAll('\n', '\r')),
  text('comments, in lines that end in CR', '', whole.join(': ping\n\n').replaceAll('\n', '\r')),
  text('no [DONE]', 'transformers serve', all(whole.slice(0, -1))),
  text('[DONE] without a blank line behind it', '', all(whole).replace(/\n\n$/, '')),
  text('names of events', '', all(whole.map((event) => `event: message\n${event}`))),
  text('an event behind [DONE]', '', all([...whole, chunk({ content: ' more' })])),
  text('blanks around [DONE]', '', all(whole).replace('[DONE]', ' [DONE] ')),
  text('an event in several data lines', '', all(whole).replaceAll(',"choices"', ',\ndata: "choices"')),
  text(
    'a type of event that is none of OpenAI’s',
    'copilot-api: caozhiyuan/copilot-api#88',
    all([first, 'data: {"type":"ping"}\n\n', hel, lo, stop, spent, done]),
  ),
  // Heads
  text(
    'no id, object, created or model',
    '',
    each(({ choices, usage }) => ({ choices, ...(usage !== undefined && { usage }) })),
  ),
  text(
    'an empty id, null for created and model',
    'TGI',
    each((c) => ({ ...c, id: '', created: null, model: null })),
  ),
  text(
    'created as a fraction',
    '',
    each((c) => ({ ...c, created: 1_700_000_000.25 })),
  ),
  text(
    'the object of a whole answer',
    '',
    each((c) => ({ ...c, object: 'chat.completion' })),
  ),
  text(
    'error: null in each chunk',
    '',
    each((c) => ({ ...c, error: null })),
  ),
  text(
    'error: {} in each chunk',
    '',
    each((c) => ({ ...c, error: {} })),
  ),
  text(
    'an error of empty texts in each chunk',
    '',
    each((c) => ({ ...c, error: { message: '', type: '', code: null } })),
  ),
  text(
    'choices: null beside the usage',
    '',
    all([first, hel, lo, stop, frame({ ...base, choices: null, usage }), done]),
  ),
  // Choices
  text(
    'no role',
    '',
    eachDelta(({ role: _, ...delta }) => delta),
  ),
  text(
    'an empty role in each delta',
    'MiniMax: Th0rgal/sandboxed.sh#143; GLM-5: anomalyco/opencode#28427',
    eachDelta((delta) => ({ ...delta, role: '' })),
  ),
  text(
    'role: null after the first delta',
    'Mistral: mistralai/client-python#16',
    eachDelta((delta, at) => ({ ...delta, ...(at > 0 && { role: null }) })),
  ),
  text(
    'the role in each delta',
    'Ollama, TGI',
    eachDelta((delta) => ({ ...delta, role: 'assistant' })),
  ),
  text(
    'no index',
    '',
    eachChoice((c) => without(c, 'index')),
  ),
  text('an index that counts the chunks', 'Foundry Local: microsoft/foundry-local#263', counting(0)),
  text('an index that counts the chunks from 1', 'TGI: huggingface/text-generation-inference#1648', counting(1)),
  text(
    'an index that counts the pieces of a call',
    '',
    all([
      ...[[opening], [rest], undefined].map((calls, at) => {
        const delta = { role: 'assistant', content: null, ...(calls && { tool_calls: calls }) }
        return frame({ ...base, choices: [{ index: at, delta, finish_reason: calls ? null : 'tool_calls' }] })
      }),
      spent,
      done,
    ]),
    called(x1),
  ),
  text(
    'no finish_reason before the last chunk',
    'transformers serve; vLLM: vllm-project/vllm#19662',
    eachChoice((c) => (c.finish_reason ? c : without(c, 'finish_reason'))),
  ),
  text(
    'finish_reason: "" before the last chunk',
    'SGLang: sgl-project/sglang#3912; Ollama: ollama/ollama#4357; qualcomm/GenieX#1246',
    eachChoice((c) => ({ ...c, finish_reason: c.finish_reason ?? '' })),
  ),
  text(
    'finish_reason: "null" before the last chunk',
    '',
    eachChoice((c) => ({ ...c, finish_reason: c.finish_reason ?? 'null' })),
  ),
  text(
    'finish_reason "eos_token"',
    'TGI: huggingface/text-generation-inference#2344',
    eachChoice((c) => ({ ...c, finish_reason: c.finish_reason && 'eos_token' })),
  ),
  text(
    'finish_reason "end_turn"',
    'xAI: genkit-ai/genkit#6259',
    eachChoice((c) => ({ ...c, finish_reason: c.finish_reason && 'end_turn' })),
  ),
  text(
    'finish_reason "MAX_TOKENS"',
    'Vertex AI: BerriAI/litellm#27139',
    eachChoice((c) => ({ ...c, finish_reason: c.finish_reason && 'MAX_TOKENS' })),
    { ...hello, finish: 'length' },
  ),
  text(
    'tool_calls: null in each delta',
    'TGI; SGLang: sgl-project/sglang#6310',
    eachDelta((delta) => ({ ...delta, tool_calls: null, function_call: null })),
  ),
  text(
    'content as a list of parts',
    'Mistral: BerriAI/litellm#16272',
    eachDelta((delta) => (delta.content ? { ...delta, content: [{ type: 'text', text: delta.content }] } : delta)),
  ),
  text(
    'the message in place of the delta',
    '',
    all([
      frame({
        ...base,
        choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }],
      }),
      spent,
      done,
    ]),
  ),
  text('the finish_reason twice', '', all([first, hel, lo, stop, stop, spent, done])),
  text(
    'the finish_reason again beside the usage',
    '',
    all([first, hel, lo, stop, chunk({}, 'length', { usage }), done]),
  ),
  text(
    'the finish_reason again beside text',
    '',
    all([first, hel, stop, chunk({ content: 'lo' }, 'stop'), spent, done]),
  ),
  text('usage in the chunk with the finish_reason', '', all([first, hel, lo, chunk({}, 'stop', { usage }), done])),
  text(
    'usage on each chunk',
    'vLLM: open-webui/open-webui#29064; Gemini: ogx-ai/ogx#5122',
    each((c, at) => ({ ...c, usage: { ...usage, completion_tokens: at, total_tokens: 3 + at, ...(at > 3 && usage) } })),
  ),
  text(
    'usage on each chunk and none by itself',
    'DeepSeek, behind a proxy: router-for-me/CLIProxyAPI#3076',
    all([
      chunk({ role: 'assistant', content: 'Hel' }, null, { usage }),
      chunk({ content: 'lo' }, 'stop', { usage }),
      done,
    ]),
  ),
  // Tool calls
  text(
    'tool_calls as an object',
    'TGI: huggingface/text-generation-inference#2949',
    calling([opening, rest]),
    called(x1),
  ),
  text(
    'finish_reason "stop" after calls',
    'Ollama: ollama/ollama#7963; Gemini: googleapis/python-genai#2868',
    calling([[opening], [rest]], 'stop'),
    called(x1),
  ),
  text('finish_reason "tool_use"', '', calling([[opening], [rest]], 'tool_use'), called(x1)),
  text(
    'later name, id and type null',
    'sgl-project/sglang#4700',
    calling([[opening], [{ index: 0, id: null, type: null, function: { name: null, arguments: '{"x":1}' } }]]),
    called(x1),
  ),
  text(
    'later name and id empty',
    'vLLM: InternLM/lmdeploy#3412; OCI: BerriAI/litellm#40040',
    calling([[opening], [call({ name: '', arguments: '{"x":1}' }, { id: '' })]]),
    called(x1),
  ),
  text(
    'later name and id repeated',
    'SGLang: InternLM/lmdeploy#3412',
    calling([[opening], [call({ name: 'f', arguments: '{"x":' })], [call({ name: 'f', arguments: '1}' })]]),
    called(x1),
  ),
  text(
    'later name and id repeated, and no index',
    'SGLang, without its index',
    calling([
      [repeated('call_a', '')],
      [repeated('call_a', '{"x":')],
      [repeated('call_a', '1}')],
      [repeated('call_b', '{"x":')],
      [repeated('call_b', '2}')],
    ]),
    called(x1, { name: 'f', arguments: '{"x":2}' }),
  ),
  text(
    'name and id repeated in each piece of two calls of one function with the index 0',
    'SGLang: InternLM/lmdeploy#3412',
    calling([
      [call({ name: 'f', arguments: '{"x":' })],
      [call({ name: 'f', arguments: '1}' })],
      [call({ name: 'f', arguments: '{"x":' }, { id: 'call_b' })],
      [call({ name: 'f', arguments: '2}' }, { id: 'call_b' })],
    ]),
    called(x1, { name: 'f', arguments: '{"x":2}' }),
  ),
  text(
    'two calls of one function with the index 0, interleaved, with name and id in each piece',
    '',
    calling([
      [call({ name: 'f', arguments: '{"x":' })],
      [call({ name: 'f', arguments: '{"x":' }, { id: 'call_b' })],
      [call({ name: 'f', arguments: '1}' })],
      [call({ name: 'f', arguments: '2}' }, { id: 'call_b' })],
    ]),
    called(x1, { name: 'f', arguments: '{"x":2}' }),
  ),
  text(
    'another id for each piece, and the name again',
    'vLLM: vllm-project/vllm#23522',
    calling([
      [call({ name: 'f', arguments: '{"x"' })],
      [call({ name: 'f', arguments: ':' }, { id: 'call_b' })],
      [call({ name: 'f', arguments: '1}' }, { id: 'call_c' })],
      [call({ name: 'f', arguments: '{"x":2}' }, { id: 'call_d' })],
    ]),
    called(x1, { name: 'f', arguments: '{"x":2}' }),
  ),
  text(
    'another id for each piece',
    'poolsideai/pool#9',
    calling([
      [call({ name: 'f', arguments: '{"x"' })],
      [call({ arguments: ':' }, { id: 'call_b' })],
      [call({ arguments: '1}' }, { id: 'call_c' })],
    ]),
    called(x1),
  ),
  text('a call without a type', '', calling([[without(opening, 'type')], [rest]]), called(x1)),
  text('a call without an index', '', calling([[without(opening, 'index')], [without(rest, 'index')]]), called(x1)),
  text('a call without an id', 'vllm-project/vllm#18412', calling([[without(opening, 'id')], [rest]]), called(x1)),
  text(
    'the call id "0"',
    'TGI',
    calling([
      [call({ name: 'f', arguments: '' }, { id: '0' })],
      [call({ name: null, arguments: '{"x":1}' }, { id: '0' })],
    ]),
    called(x1),
  ),
  text(
    'arguments as an object',
    'TGI, whole: huggingface/text-generation-inference#2136',
    calling([[call({ name: 'f', arguments: { x: 1 } })]]),
    called(x1),
  ),
  text('parameters in place of arguments', '', calling([[call({ name: 'f', parameters: { x: 1 } })]]), called(x1)),
  text(
    'a call without `function`, and parameters in place of arguments',
    'Llama 3.1, passed on as it writes it',
    calling([[{ name: 'f', parameters: { x: 1 } }]]),
    called(x1),
  ),
  text(
    'a call without `function`',
    '',
    calling([[{ index: 0, id: 'call_a', name: 'f', arguments: '{"x":1}' }]]),
    called(x1),
  ),
  text(
    'two calls with the index 0',
    'apache/maka#1976 for Ollama; langchain-ai/langchain#35281 for Bedrock',
    calling([
      [call({ name: 'f', arguments: x1.arguments })],
      [call({ name: 'g', arguments: y2.arguments }, { id: 'call_b' })],
    ]),
    called(x1, y2),
  ),
  text(
    'two calls of one function with the index 0, in pieces',
    'vLLM and SGLang: InternLM/lmdeploy#3412',
    calling([
      [call({ name: 'f', arguments: '' }, { id: '0' })],
      [call({ name: null, arguments: '{"x":1}' }, { id: '0' })],
      [call({ name: 'f', arguments: '' }, { id: '1' })],
      [call({ name: null, arguments: '{"x":2}' }, { id: '1' })],
    ]),
    called(x1, { name: 'f', arguments: '{"x":2}' }),
  ),
  text(
    'two calls with the index 0, in pieces that are right by themselves',
    'vLLM: InternLM/lmdeploy#3412',
    calling([
      [opening],
      [{ index: 0, function: { arguments: '{"x"' } }],
      [{ index: 0, function: { arguments: ':1}' } }],
      [{ ...opening, id: 'call_b' }],
      [{ index: 0, function: { arguments: '{"x"' } }],
      [{ index: 0, function: { arguments: ':2}' } }],
    ]),
    called(x1, { name: 'f', arguments: '{"x":2}' }),
  ),
  text(
    'two calls with the index 0, interleaved by their ids',
    'maximhq/bifrost#1829',
    calling([
      [opening],
      [call({ name: 'g', arguments: '' }, { id: 'call_b' })],
      [{ index: 0, id: 'call_a', function: { arguments: '{"x":1}' } }],
      [{ index: 0, id: 'call_b', function: { arguments: '{"y":2}' } }],
    ]),
    called(x1, y2),
  ),
  text(
    'a call whose name comes late',
    'sgl-project/sglang#4700',
    calling([[call({ name: null, arguments: '' })], [call({ name: 'f', arguments: '{"x":1}' })]]),
    called(x1),
  ),
  text(
    'two calls without index or id',
    'huggingface/smolagents#1958',
    calling([
      [{ function: { name: 'f', arguments: '{"x":' } }],
      [{ function: { arguments: '1}' } }],
      [{ function: { name: 'g', arguments: y2.arguments } }],
    ]),
    called(x1, y2),
  ),
  text(
    'two calls of one function without index or id',
    'huggingface/smolagents#1958',
    calling([[{ function: x1 }], [{ function: x1 }]]),
    called(x1, x1),
  ),
  text(
    'two calls with the index 0 in one delta',
    'Ollama: vercel/ai#14277',
    calling([[call({ ...x1 }), call({ ...y2 }, { id: 'call_b' })]]),
    called(x1, y2),
  ),
  text(
    'two calls with the same id',
    '',
    calling([[call({ ...x1 }, { id: 'call' }), call({ ...y2 }, { id: 'call', index: 1 })]]),
    called(x1, y2),
  ),
  text(
    'an index of its own for the first piece',
    'sgl-project/sglang#6310',
    calling([[{ ...opening, index: 2 }], [rest]].map(([c]) => [c])),
    called(x1),
  ),
]

/** Streams that every client reads: they pass byte for byte. */
export const soundStreams: readonly OddStream[] = [
  text('a plain one', 'OpenAI', all(whole)),
  text('one with comments', 'OpenRouter', all([': PROCESSING\n\n', ...whole])),
  text('one with comments between its events', 'OpenRouter', whole.join(': ping\n\n')),
  text('one with ids of events', '', all(whole.map((event, at) => `id: ${at}\nretry: 3000\n${event}`))),
  text('one with a chunk of no choices', 'Azure', all([frame({ ...base, choices: [] }), ...whole])),
  text(
    'one with a chunk of no choices in its middle',
    '',
    all([first, hel, frame({ ...base, choices: [] }), lo, stop, spent, done]),
  ),
  text(
    'one with another id for each chunk',
    'LiteLLM: BerriAI/litellm#1571',
    each((c, at) => ({ ...c, id: `chatcmpl-${at}` })),
  ),
  text(
    'one with reasoning',
    'DeepSeek',
    all([first, chunk({ reasoning_content: 'Hm' }), chunk({ reasoning_content: '.' }), hel, lo, stop, spent, done]),
  ),
  text('a call in pieces', 'OpenAI', calling([[opening], [rest]]), called(x1)),
  text('a call in one piece', 'Gemini', calling([[call(x1)]]), called(x1)),
  text(
    'one with usage: null in each chunk',
    'OpenAI',
    each((c, at) => (at < 4 ? { ...c, usage: null } : c)),
  ),
  text(
    'one with obfuscation and logprobs',
    'OpenAI',
    each((c, at) => ({ ...c, obfuscation: 'x'.repeat(at), service_tier: 'default' })),
  ),
  text(
    'interleaved calls',
    'OpenAI',
    calling([
      [opening],
      [call({ name: 'g', arguments: '' }, { index: 1, id: 'call_b' })],
      [{ index: 0, function: { arguments: '{"x"' } }],
      [{ index: 1, function: { arguments: '{"y"' } }],
      [{ index: 0, function: { arguments: ':1}' } }],
      [{ index: 1, function: { arguments: ':2}' } }],
    ]),
    called(x1, y2),
  ),
  text(
    'words that look like oddities',
    'a model',
    all([
      first,
      chunk({ content: 'data: null\n\ndata: {"error":{"message":"x"}} "finish_reason":"eos_token"' }),
      stop,
      spent,
      done,
    ]),
    { ...hello, text: 'data: null\n\ndata: {"error":{"message":"x"}} "finish_reason":"eos_token"' },
  ),
  text(
    'arguments that look like calls',
    'a model',
    calling([[opening], [{ index: 0, function: { arguments: '{"name":"g","id":"call_b"}' } }]]),
    called({ name: 'f', arguments: '{"name":"g","id":"call_b"}' }),
  ),
]

/** Streams that fail after some content: no client may take them for complete. */
export const failingStreams: readonly Omit<OddStream, 'says' | 'seen'>[] = [
  ['an error, and closes', [frame({ error: { message: 'boom', type: 'server_error' } })]],
  ['an error, and says [DONE]', [frame({ error: { message: 'boom' } }), done]],
  ['an event named error', [`event: error\n${frame({ error: { message: 'boom' } })}`, done]],
  ['an error that is a text', [frame({ error: 'boom' }), done]],
  ['an error in an event named error alone', [`event: error\n${frame({ message: 'boom' })}`, done]],
  ['nothing more', []],
  ['[DONE] without a finish_reason', [done]],
  ['usage and [DONE] without a finish_reason', [spent, done]],
].map(([what, frames]) => ({ what: what as string, text: all([first, hel, ...(frames as string[])]) }))
