import type { ModelConfig } from '../../../src/config/schema.ts'

type Settings = Exclude<ModelConfig, string>

/** The settings of a model that make the gateway continue a broken stream elsewhere. */
export const resuming: Partial<Settings> = { resume: true }

/** The settings of a model that make the gateway ask a second deployment when the first is late. */
export const hedging: Partial<Settings> = { hedge: true }
