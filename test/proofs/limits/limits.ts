import type { Take } from '../../../src/accounts/rates.ts'

export interface LimitSettings {
  readonly url: string
  /** Requests a minute of one model, and tokens a minute of another. */
  readonly rpm: number
  readonly tpm: number
  /** Each has half as many requests a minute as the model. */
  readonly keys: number
  /** Tokens that one request may use at most. */
  readonly most: number
  /** Clients of each process. */
  readonly clients: number
  /** Milliseconds: how long an answer takes at most. */
  readonly answerMs: number
}

export interface MemberSettings extends LimitSettings {
  /** Where each line says when a request began and was let through, for which key and model, and how many tokens it used. */
  readonly log: string
  readonly owner: string
  readonly timing: Readonly<Record<'beatMs' | 'patience', number>>
}

export const models = ['model:requests', 'model:tokens'] as const
export const keySubject = (key: number) => `key:${key}`
export const keyLimit = ({ rpm }: LimitSettings) => Math.floor(rpm / 2)

export interface LimitRequest {
  readonly key: number
  readonly model: number
  readonly need: number
}

export function takesOf(settings: LimitSettings, { key, model, need }: LimitRequest): readonly Take[] {
  const own: Take = { subject: keySubject(key), kind: 'requests', limit: keyLimit(settings), need: 1 }
  if (model === 0) return [own, { subject: models[0], kind: 'requests', limit: settings.rpm, need: 1 }]
  return [own, { subject: models[1], kind: 'tokens', limit: settings.tpm, need }]
}
