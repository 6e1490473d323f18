import type { Key, KeyLimits, SharedLimits } from '../state/key.ts'
import type { Hold, Meter } from '../state/meters.ts'
import { windowAt, windowEnd } from '../state/window.ts'
import type { Take } from './rates.ts'

/** Somebody whose limits a request counts for: its key, and the project that the key belongs to. */
export interface Subject {
  /** In the names of limits and meters: `key:ID`, `project:ID`. */
  readonly name: string
  /** In messages: `key ci`. */
  readonly whose: string
  /** Beside those that only keys have. */
  readonly limits: SharedLimits & Pick<KeyLimits, 'userLimits'>
}

/** What a request is to be counted by. */
export interface Counted {
  /** The model, as its client names it. */
  readonly model: string | undefined
  /** The end user whom the client speaks for. */
  readonly user: string | undefined
  readonly tokens: number
}

export function subjectOfKey({ id, name, limits }: Key): Subject {
  return { name: `key:${id}`, whose: `key ${name}`, limits }
}

/** Adds what a request takes of the limits a minute. */
export function addTakes(takes: Take[], { name, limits }: Subject, { model, user, tokens }: Counted): void {
  addRates(takes, name, limits, tokens)
  const own = model === undefined ? undefined : limits.modelLimits?.[model]
  if (own) addRates(takes, `${name} model:${model}`, own, tokens)
  if (user !== undefined && limits.userLimits) addRates(takes, `${name} user:${user}`, limits.userLimits, tokens)
}

export interface Rate {
  readonly rpm?: number | undefined
  readonly tpm?: number | undefined
}

export function addRates(takes: Take[], subject: string, { rpm, tpm }: Rate, tokens: number): void {
  if (rpm !== undefined) takes.push({ subject, kind: 'requests', limit: rpm, need: 1 })
  if (tpm !== undefined) takes.push({ subject, kind: 'tokens', limit: tpm, need: tokens })
}

/** Adds what a request holds of meters: `need` nano-dollars of the budget, and one of the requests at once. */
export function addHolds(holds: Hold[], { name, limits }: Subject, need: number, now: number): void {
  const { budget: limit, budgetReset = null, parallel } = limits
  if (limit !== undefined)
    holds.push({ meter: { subject: name, window: windowAt(budgetReset, now), limit }, amount: need })
  if (parallel !== undefined) {
    // A key's has always been named by its id alone.
    const subject = `parallel:${name.replace(/^key:/, '')}`
    holds.push({ meter: { subject, window: 0, limit: parallel, returns: true }, amount: 1 })
  }
}

/** Whose limit a minute it is, in words. */
export function whoseRate(subjects: readonly Subject[], { subject }: Pick<Take, 'subject'>): string {
  const own = subjects.find(({ name }) => subject === name || subject.startsWith(`${name} `))
  return own?.whose ?? `the model ${subject.replace(/^model:/, '')}`
}

/** Whose meter it is. */
export function holderOf(subjects: readonly Subject[], { subject, returns }: Meter): Subject | undefined {
  return subjects.find(({ name }) => (returns ? `parallel:${name.replace(/^key:/, '')}` : name) === subject)
}

/** When the budget starts anew; undefined: never. */
export function endOf({ limits }: Subject, now: number): number | undefined {
  return windowEnd(limits.budgetReset ?? null, now)
}
