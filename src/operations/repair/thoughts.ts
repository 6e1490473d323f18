import type { JsonObject } from '../../wire/json.ts'
import { startOfMark } from './marks.ts'

/** A piece of what a model wrote, told apart. */
export type Told =
  | { readonly thought: string }
  | { readonly content: string }
  | { readonly calls: readonly JsonObject[] }

/** How reasoning is marked in a text. By model: most; Magistral; Seed-OSS; Kimi-VL. */
const tags: readonly (readonly [opens: string, closes: string])[] = [
  ['<think>', '</think>'],
  ['[THINK]', '[/THINK]'],
  ['<seed:think>', '</seed:think>'],
  ['◁think▷', '◁/think▷'],
]

/** Where a template has written the opening tag itself, it is this one. */
const usual = '</think>'

/**
 * Models whose templates end a prompt with the opening tag, so that their answers have only the closing one, and that
 * always think: DeepSeek-R1 and its distillates, QwQ, and Qwen3's variants for thinking alone. Later Qwen models think
 * unless they are told not to, which the name doesn't show.
 */
const begun = /deepseek-r1|\bqwq\b|qwen3[\w.-]*-thinking/i

export function isBegunByTemplate(model: string): boolean {
  return begun.test(model)
}

/** Tells the reasoning at the start of a text from what follows. White space around the tags belongs to neither. */
export class ThoughtReader {
  #state: 'start' | 'thought' | 'content' = 'start'
  /** Whether it is between a tag and the next text. */
  #gap = false
  #closes = usual
  #held = ''
  /** All of a thought that nothing but the name of its model tells to be one. */
  #supposed: string[] | undefined
  /** Whether what went out as a thought was the answer. */
  mistaken = false

  /** `begun`: the text may begin with a thought without a tag. */
  constructor({ begun }: { readonly begun: boolean }) {
    if (begun) this.#supposed = []
  }

  /** Whether there is nothing more to look for. */
  get settled(): boolean {
    return this.#state === 'content' && !this.#gap
  }

  add(text: string): Told[] {
    if (this.settled) return [{ content: text }]
    const all = this.#held + text
    this.#held = ''
    if (this.#state === 'start') return this.#start(all)
    return this.#state === 'thought' ? this.#thought(all) : this.#content(all)
  }

  /** What was held back. `cut`: the answer ended before the model was done. */
  end(cut: boolean): Told[] {
    const state = this.#state
    const held = this.skip()
    if (state !== 'thought') return held === '' ? [] : [{ content: held }]
    const told: Told[] = held === '' ? [] : [{ thought: held }]
    // A model that didn't think after all has answered: its text must not be missing where clients look for it.
    this.mistaken = this.#supposed !== undefined && !cut
    if (this.#supposed && !cut) told.push({ content: this.#supposed.join('') + held })
    return told
  }

  /** Takes all that follows for content, and returns what was held back. */
  skip(): string {
    const held = this.#held
    this.#held = ''
    this.#state = 'content'
    this.#gap = false
    return held
  }

  #start(all: string): Told[] {
    const text = all.trimStart()
    const tag = tags.find(([opens]) => text.startsWith(opens))
    if (!tag && (text === '' || tags.some(([opens]) => opens.startsWith(text)))) {
      this.#held = all
      return []
    }
    if (!tag && !this.#supposed) {
      this.#state = 'content'
      return [{ content: all }]
    }
    this.#state = 'thought'
    this.#gap = true
    if (!tag) return this.#thought(all)
    const [opens, closes] = tag
    this.#supposed = undefined
    this.#closes = closes
    return this.#thought(text.slice(opens.length))
  }

  #thought(all: string): Told[] {
    const text = this.#gap ? all.trimStart() : all
    if (text === '') return []
    const at = text.indexOf(this.#closes)
    if (at < 0) {
      const kept = startOfMark(text, [this.#closes])
      this.#held = text.slice(text.length - kept)
      const thought = text.slice(0, text.length - kept)
      if (thought === '') return []
      this.#gap = false
      this.#supposed?.push(thought)
      return [{ thought }]
    }
    this.#supposed = undefined
    this.#state = 'content'
    this.#gap = true
    const told: Told[] = at > 0 ? [{ thought: text.slice(0, at) }] : []
    return [...told, ...this.#content(text.slice(at + this.#closes.length))]
  }

  #content(all: string): Told[] {
    const text = all.trimStart()
    if (text === '') return []
    this.#gap = false
    return [{ content: text }]
  }
}
