import {
  type Offered,
  type Reading,
  readDeepSeek,
  readFunctions,
  readJSON,
  readKimi,
  readMistral,
  readPairs,
} from './call-texts.ts'

/** How a family of models writes its calls. */
export interface CallForm {
  readonly opens: string
  /** Absent: it lasts until the end of the answer. */
  readonly closes?: string
  /** Whether a call without its closing mark is none: what is inside doesn't show that it is whole. */
  readonly mustClose?: boolean
  /** What is between the marks. */
  read(inner: string, offered: Offered): Reading
  /** Whether the start of a text may become such a call. */
  may(inner: string, offered: Offered): boolean
}

const always = () => true

export const callForms: readonly CallForm[] = [
  // Hermes and Qwen; Qwen3-Coder and GLM put their own form between these tags.
  {
    opens: '<tool_call>',
    closes: '</tool_call>',
    read(inner, offered) {
      const text = inner.trim()
      if (text.startsWith('<function=')) return readFunctions(text, offered)
      if (/^[{[]/.test(text)) return readJSON(text, offered)
      return readPairs(text, offered)
    },
    may(inner, offered) {
      const text = inner.trimStart()
      return (
        /^([{[]|$)/.test(text) || isStart(text, '<function=') || [...offered.keys()].some((name) => isStart(text, name))
      )
    },
  },
  // Llama's custom format has JSON inside, Qwen3-Coder's parameters.
  {
    opens: '<function=',
    closes: '</function>',
    mustClose: true,
    read: (inner, offered) => readFunctions(`<function=${inner}</function>`, offered),
    may: (inner, offered) => [...offered.keys()].some((name) => isStart(inner, `${name}>`)),
  },
  // Mistral: a list, or since version 11 of its tokenizer the name apart.
  {
    opens: '[TOOL_CALLS]',
    read: readMistral,
    may(inner, offered) {
      const text = inner.trimStart()
      return /^([{[]|$)/.test(text) || [...offered.keys()].some((name) => isStart(text, name))
    },
  },
  // Llama 3.
  {
    opens: '<|python_tag|>',
    read: (inner, offered) => readJSON(inner.replace(/<\|e\w+_id\|>\s*$/, ''), offered),
    may: always,
  },
  {
    opens: '<｜tool▁calls▁begin｜>',
    closes: '<｜tool▁calls▁end｜>',
    read: readDeepSeek,
    may: (inner) => isStart(inner.trimStart(), '<｜tool▁call▁begin｜>'),
  },
  {
    opens: '<|tool_calls_section_begin|>',
    closes: '<|tool_calls_section_end|>',
    read: readKimi,
    may: (inner) => isStart(inner.trimStart(), '<|tool_call_begin|>'),
  },
]

/** Llama 3 without a mark, and other models whose servers drop theirs: nothing but JSON. */
export const bareForm: CallForm = {
  opens: '',
  read: readJSON,
  may(inner, offered) {
    const text = inner.replace(/\s+/g, '').replace(/^\[/, '')
    return [...offered.keys()].some((name) =>
      ['parameters', 'arguments'].some((key) => {
        const start = `{"name":${JSON.stringify(name)},"${key}":`
        return isStart(text, start) || isStart(text, `{"type":"function",${start.slice(1)}`)
      }),
    )
  },
}

/** Whether one of the texts begins with the other. */
function isStart(text: string, whole: string): boolean {
  return text.startsWith(whole) || whole.startsWith(text)
}
