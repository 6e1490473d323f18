import { fetchModelList } from '../../src/core/model-list.ts'
import type { KnownModel, ProviderSettings, SlowPath } from '../../src/core/provider.ts'
import { isObject, type JsonObject, objectAt } from '../../src/wire/json.ts'
import type { ModelFacts } from '../../src/wire/model-facts.ts'
import { anthropicHeaders, anthropicURL } from './address.ts'
import { versionOf } from './version.ts'

/** What a model takes, as far as its name tells. */
export interface Traits {
  /** The most that one answer may have, in tokens. */
  readonly maxOutput: number
  /** The levels of effort of a model that decides itself how much to think; absent: it is told a number of tokens. */
  readonly efforts?: readonly string[]
  /** Whether it can be told not to think at all. */
  readonly mayNotThink: boolean
  /** Whether it can be made to call a tool. */
  readonly forcesCalls: boolean
  /** Whether it takes `temperature`, `top_p` and `top_k`. */
  readonly samples: boolean
  /** Whether `temperature` and `top_p` exclude each other. */
  readonly samplesOneWay: boolean
  /** Whether answers can be held to a JSON schema, and calls to that of their tool. */
  readonly keepsSchemas: boolean
  /** Whether instructions may stand between messages. */
  readonly takesLateInstructions: boolean
}

/** For models of others behind an address that speaks Anthropic's API. */
const foreign: Traits = {
  maxOutput: 8192,
  mayNotThink: true,
  forcesCalls: true,
  samples: true,
  samplesOneWay: false,
  keepsSchemas: false,
  takesLateInstructions: false,
}

/**
 * By version: https://platform.claude.com/docs/en/about-claude/models/overview, and what vercel/ai
 * (packages/anthropic/src/anthropic-language-model.ts) and langchain-ai/langchainjs (1.5.13) know of each model. A Claude
 * without a version in its name is taken for a new one.
 */
export function traitsOf(model: string): Traits {
  if (!/claude/i.test(model)) return foreign
  const version = versionOf(model) ?? Number.POSITIVE_INFINITY
  const alwaysThinks = /fable|mythos/i.test(model)
  return {
    maxOutput: maxOutputOf(model, version),
    ...(version >= 406 && { efforts: version >= 407 ? [...someEfforts, 'xhigh', 'max'] : [...someEfforts, 'max'] }),
    mayNotThink: !alwaysThinks,
    // ENTERPILOT/GoModel#856, withceleste/celeste-python#393
    forcesCalls: !alwaysThinks || version < 501,
    samples: version < 407,
    samplesOneWay: version >= 401,
    keepsSchemas: version >= 405 || (version >= 401 && /opus/i.test(model)),
    takesLateInstructions: version >= 408,
  }
}

const someEfforts = ['low', 'medium', 'high']

function maxOutputOf(model: string, version: number): number {
  if (version < 305) return 4096
  if (version < 307) return 8192
  if (version < 405 && /opus/i.test(model)) return 32_000
  return version >= 407 || (version === 406 && /opus/i.test(model)) ? 128_000 : 64_000
}

/** https://platform.claude.com/docs/en/api/models/list */
export async function listModels(settings: ProviderSettings, tools: SlowPath): Promise<KnownModel[]> {
  const url = `${anthropicURL(settings)}/v1/models?limit=1000`
  const headers = { ...anthropicHeaders(settings), ...settings.headers }
  const list = await fetchModelList(url, headers, tools)
  return list.map(({ id, fields }) => ({ id, ownedBy: 'anthropic', ...factsIn(fields) }))
}

function factsIn({ created_at: at, max_input_tokens: window, max_tokens: most, capabilities }: JsonObject): ModelFacts {
  const released = typeof at === 'string' ? Date.parse(at) : Number.NaN
  return {
    ...(released > 0 && { created: Math.floor(released / 1000) }),
    ...(isCount(window) && { contextWindow: window }),
    ...(isCount(most) && { maxOutput: most }),
    ...(isObject(capabilities) && abilitiesIn(capabilities)),
  }
}

function abilitiesIn(capabilities: JsonObject): ModelFacts {
  const has = (name: string) => objectAt(capabilities, name)?.supported
  const [vision, pdf, schema, reasons] = ['image_input', 'pdf_input', 'structured_outputs', 'thinking'].map(has)
  return {
    inputs: ['text', ...(vision === true ? ['image'] : []), ...(pdf === true ? ['file'] : [])],
    outputs: ['text'],
    supports: {
      tools: true,
      ...(typeof vision === 'boolean' && { vision }),
      // Without them a schema is kept by way of a tool.
      ...(schema === true && { schema: true }),
    },
    ...(typeof reasons === 'boolean' && { reasons }),
  }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && value > 0
}
