/**
 * How a model is told how much to think: by one of its levels, or by tokens, of which it takes no fewer than `least`,
 * and none only if it can do without. https://ai.google.dev/gemini-api/docs/generate-content/thinking
 */
export type Thinking =
  | { readonly levels: readonly string[] }
  | { readonly levels?: undefined; readonly least: number; readonly most: number; readonly mayBeOff: boolean }

/** The first that fits counts. Undefined: nothing can be said to it. */
const families: readonly (readonly [RegExp, Thinking | undefined])[] = [
  [/-(?:image|tts|live|native-audio)|embedding|imagen/, undefined],
  [/gemma-[123]|learnlm/, undefined],
  [/gemma/, { levels: ['minimal', 'high'] }],
  [/gemini-2\.5-pro/, { least: 128, most: 32_768, mayBeOff: false }],
  [/gemini-2\.5-flash-lite/, { least: 512, most: 24_576, mayBeOff: true }],
  [/gemini-2\.5/, { least: 1, most: 24_576, mayBeOff: true }],
  [/gemini-(?:[12]\b|pro(?:-vision)?$)/, undefined],
  [/gemini-3-pro/, { levels: ['low', 'high'] }],
  [/gemini-(?:3(?:\.[0-6])?-flash|3\.\d+-flash-lite)/, { levels: ['minimal', 'low', 'medium', 'high'] }],
  [/gemini-\d+-neon/, { levels: ['low', 'medium', 'high', 'xhigh'] }],
]

/** For names that are not known: Google's newest models are called in ways that nobody foresees. */
const newest: Thinking = { levels: ['low', 'medium', 'high'] }

export function thinkingOf(model: string): Thinking | undefined {
  const family = families.find(([name]) => name.test(model))
  return family ? family[1] : newest
}

/** Whether the model is older than Gemini 3, or no Gemini: it neither checks signatures nor takes images as results. */
export function isOlder(model: string): boolean {
  return /gemini-(?:[12]\b|pro(?:-vision)?$)|gemma|learnlm/.test(model)
}
