/** A text as a model writes it, and what a client is to get. Functions: `get_weather(city, days)` and `now()`. */
export interface Written {
  readonly what: string
  readonly text: string
  readonly content?: string
  readonly reasoning?: string
  readonly calls?: readonly (readonly [name: string, args: string])[]
}

export const tools = [
  {
    type: 'function',
    function: {
      name: 'get_weather',
      parameters: {
        type: 'object',
        properties: { city: { type: 'string' }, days: { type: 'integer' }, raw: { type: ['string', 'null'] } },
      },
    },
  },
  { type: 'function', function: { name: 'now', parameters: { type: 'object', properties: {} } } },
]

const paris = ['get_weather', '{"city": "Paris"}'] as const
const rome = ['get_weather', '{"city": "Rome"}'] as const
const now = ['now', '{}'] as const
const hermes = (json: string) => `<tool_call>\n${json}\n</tool_call>`
const parisJSON = '{"name": "get_weather", "arguments": {"city": "Paris"}}'
const romeJSON = '{"name": "get_weather", "arguments": {"city": "Rome"}}'
const coder =
  '<function=get_weather>\n<parameter=city>\nParis\n</parameter>\n<parameter=days>\n3\n</parameter>\n</function>'

export const written: readonly Written[] = [
  { what: 'Hermes', text: hermes(parisJSON), calls: [paris] },
  {
    what: 'Hermes with the arguments first',
    text: hermes('{"arguments": {"city": "Paris"}, "name": "get_weather"}'),
    calls: [paris],
  },
  { what: 'Hermes twice', text: `${hermes(parisJSON)}\n${hermes(romeJSON)}`, calls: [paris, rome] },
  { what: 'Hermes without the last mark', text: `<tool_call>\n${parisJSON}\n`, calls: [paris] },
  {
    what: 'Hermes twice without a last mark',
    text: `<tool_call>\n${parisJSON}\n<tool_call>\n${romeJSON}`,
    calls: [paris, rome],
  },
  { what: 'Hermes after words', text: `Let me see.\n${hermes(parisJSON)}`, content: 'Let me see.\n', calls: [paris] },
  { what: 'Hermes before words', text: `${hermes(parisJSON)}\n\nDone.`, content: '\n\nDone.', calls: [paris] },
  { what: 'Hermes without arguments', text: hermes('{"name": "now"}'), calls: [now] },
  {
    what: 'Hermes with arguments as a text',
    text: hermes('{"name": "get_weather", "arguments": "{\\"city\\": \\"Paris\\"}"}'),
    calls: [paris],
  },
  {
    what: 'Hermes with its mark in an argument',
    text: hermes('{"name": "get_weather", "arguments": {"city": "</tool_call>"}}'),
    calls: [['get_weather', '{"city": "</tool_call>"}']],
  },
  {
    what: 'Hermes with a long number',
    text: hermes('{"name": "get_weather", "arguments": {"days": 12345678901234567890}}'),
    calls: [['get_weather', '{"days": 12345678901234567890}']],
  },
  {
    what: 'Hermes with a list',
    text: hermes(`[${parisJSON}, ${romeJSON}]`),
    calls: [
      ['get_weather', '{"city":"Paris"}'],
      ['get_weather', '{"city":"Rome"}'],
    ],
  },
  {
    what: 'Qwen3-Coder',
    text: `<tool_call>\n${coder}\n</tool_call>`,
    calls: [['get_weather', '{"city":"Paris","days":3}']],
  },
  { what: 'Qwen3-Coder without the outer mark', text: coder, calls: [['get_weather', '{"city":"Paris","days":3}']] },
  {
    what: 'Qwen3-Coder with text that looks like JSON',
    text: '<function=get_weather><parameter=city>42</parameter><parameter=raw>null</parameter></function>',
    calls: [['get_weather', '{"city":"42","raw":null}']],
  },
  {
    what: 'Qwen3-Coder without the outer mark before it',
    text: `${coder}\n</tool_call>\n${coder}`,
    calls: [
      ['get_weather', '{"city":"Paris","days":3}'],
      ['get_weather', '{"city":"Paris","days":3}'],
    ],
  },
  {
    what: 'GLM',
    text: '<tool_call>get_weather\n<arg_key>city</arg_key>\n<arg_value>Paris</arg_value>\n</tool_call>',
    calls: [['get_weather', '{"city":"Paris"}']],
  },
  { what: 'Mistral', text: `[TOOL_CALLS][${parisJSON}]`, calls: [['get_weather', '{"city":"Paris"}']] },
  {
    what: 'Mistral twice',
    text: `[TOOL_CALLS] [${parisJSON}, ${romeJSON}]`,
    calls: [
      ['get_weather', '{"city":"Paris"}'],
      ['get_weather', '{"city":"Rome"}'],
    ],
  },
  {
    what: 'Mistral since version 11',
    text: '[TOOL_CALLS]get_weather[ARGS]{"city": "Paris"}[TOOL_CALLS]now{}',
    calls: [paris, now],
  },
  { what: 'Llama 3', text: '{"name": "get_weather", "parameters": {"city": "Paris"}}', calls: [paris] },
  {
    what: 'Llama 3 twice',
    text: '{"name": "get_weather", "parameters": {"city": "Paris"}}; {"name": "now", "parameters": {}}',
    calls: [paris, now],
  },
  {
    what: 'Llama 3 with its mark',
    text: '<|python_tag|>{"name": "get_weather", "parameters": {"city": "Paris"}}',
    calls: [paris],
  },
  { what: 'Llama 3 with its custom form', text: '<function=get_weather>{"city": "Paris"}</function>', calls: [paris] },
  {
    what: 'DeepSeek R1',
    text: '<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>get_weather\n```json\n{"city": "Paris"}\n```<｜tool▁call▁end｜>\n<｜tool▁call▁begin｜>function<｜tool▁sep｜>now\n```json\n{}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>',
    calls: [paris, now],
  },
  {
    what: 'DeepSeek V3.1',
    text: '<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>get_weather<｜tool▁sep｜>{"city": "Paris"}<｜tool▁call▁end｜><｜tool▁calls▁end｜>',
    calls: [paris],
  },
  {
    what: 'Kimi',
    text: '<|tool_calls_section_begin|><|tool_call_begin|>functions.get_weather:0<|tool_call_argument_begin|>{"city": "Paris"}<|tool_call_end|><|tool_calls_section_end|>',
    calls: [paris],
  },
  { what: 'a thought', text: '<think>\nHm.\n</think>\n\nHello', content: 'Hello', reasoning: 'Hm.\n' },
  {
    what: 'a thought, and a call',
    text: `<think>Hm.</think>\n\n${hermes(parisJSON)}`,
    reasoning: 'Hm.',
    calls: [paris],
  },
  { what: 'an empty thought', text: '<think>\n\n</think>\n\nHello', content: 'Hello' },
  { what: 'a thought of Magistral', text: '[THINK]Hm.[/THINK]Hello', content: 'Hello', reasoning: 'Hm.' },
  { what: 'a thought without an end', text: '<think>Hm <b>so</b>', content: '', reasoning: 'Hm <b>so</b>' },
  {
    what: 'a thought that quotes a call',
    text: `<think>I could ${hermes(parisJSON)}</think>No.`,
    content: 'No.',
    reasoning: `I could ${hermes(parisJSON)}`,
  },
]

/** What begins like one of these and is none. */
export const plain: readonly string[] = [
  'Hello',
  '  Hello\n',
  'The tag <think> opens a thought, </think> closes it.',
  '<thin air',
  '<thi',
  '<tool_call>',
  '<tool_call>hello</tool_call>',
  '<tool_call>\n{"name": "unknown", "arguments": {}}\n</tool_call>',
  '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Par',
  '<tool_call>\n{"name": "get_weather", "arguments": 7}\n</tool_call> and more',
  'a < b and <tool and [TOOL_CALLS',
  '[TOOL_CALLS] is what Mistral writes',
  '[TOOL_CALLS]unknown[ARGS]{}',
  '{"name": "Bob", "arguments": {}}',
  '{"name": "get_weather", "parameters": {"city": "Paris"}} is how one calls it',
  '{"name": "get_weather", "comment": "no call"}',
  '{"answer": 42}',
  '[1, 2, 3]',
  '[',
  '<function=get_weather>{"city": "Paris"',
  '<function=unknown><parameter=city>Paris</parameter></function>',
  '<｜tool▁calls▁begin｜>nothing',
  '<|python_tag|>weather.call(city="Paris")',
  'Use <tool_call>{"name": "get_weather"</tool_call> or <function=…>.',
]
