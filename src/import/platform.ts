import type { ProviderConfig } from '../config/schema.ts'

/** A service or server that other gateways know by a name of their own. */
export interface Platform {
  /** Its names there. Letter case, `-` and `_` make no difference. The first is a provider's name here. */
  readonly names: readonly string[]
  readonly type: string
  /** Its address, if the provider's type doesn't know it. */
  readonly baseURL?: string
  /** The variable for its key, if the provider's type doesn't know it. */
  readonly variable?: string
  /** Whether its servers need no key. */
  readonly keyless?: boolean
  /** Names of models that are its own, also where nothing else says so; `*` is any text. */
  readonly families?: readonly string[]
  /** A model's name here. */
  readonly model?: (name: string) => string
  /** The provider for another address than the usual one. Default: the same type there. */
  readonly at?: (address: string, version: string | undefined) => Placed
  /** Settings of its own that other gateways have by the same name. */
  readonly settings?: readonly string[]
  /** Whether its address has no version of the API, such as `/v1`. */
  readonly unversioned?: boolean
  /** Whether it takes a request's `models`: a service over many others. */
  readonly router?: boolean
  /** Whether it is any server with an API in OpenAI's format, for what has no name. */
  readonly anyServer?: boolean
  /** The numbers of its kinds of channels in one-api. */
  readonly channels?: readonly number[]
}

export interface Placed {
  readonly config: ProviderConfig
  /** What is different from the source. */
  readonly changed?: string
  /** The name that the path of the address gives to the model. */
  readonly model?: string
}

/** Finds platforms by their names in other gateways. */
export class Platforms {
  readonly #byName = new Map<string, Platform>()
  readonly all: readonly Platform[]

  /** Any server with an API in OpenAI's format. */
  readonly anyServer: Platform

  constructor(all: readonly Platform[]) {
    this.all = all.filter(({ anyServer }) => !anyServer)
    const anyServer = all.find((platform) => platform.anyServer)
    if (!anyServer) throw new Error('a platform for any server is missing')
    this.anyServer = anyServer
    for (const platform of this.all) for (const name of platform.names) this.#byName.set(plain(name), platform)
  }

  find(name: string): Platform | undefined {
    return this.#byName.get(plain(name))
  }

  /** By the number of a kind of channel in one-api. */
  ofChannel(number: number): Platform | undefined {
    return this.all.find(({ channels = [] }) => channels.includes(number))
  }

  /** The platform whose models have such names. */
  ofModel(model: string): Platform | undefined {
    return this.all.find(({ families = [] }) => families.some((family) => fits(family, model)))
  }

  /** The platform whose name is one of the words of a name such as `openai-prod`, or else a part of it. */
  within(name: string): Platform | undefined {
    const words = name.split(/[^a-z0-9]+/i)
    const pairs = words.map((word, at) => word + (words[at + 1] ?? ''))
    const whole = [...pairs, ...words].map((word) => this.find(word)).find((platform) => platform !== undefined)
    if (whole) return whole
    const parts = [...this.#byName].filter(([known]) => known.length > 3 && plain(name).includes(known))
    return parts.sort(([one], [other]) => other.length - one.length)[0]?.[1]
  }
}

/** Services with an API of their own, for which there is no provider; their address is of no use. */
const foreign =
  /^(bedrock|vertex|sagemaker|watsonx|aws|replicate|predibase|triton|sap$|snowflake|cloudflare|workersai|palm$|maritalk|nlpcloud|petals|clarifai|oci|oracle|langgraph|autorouter|dotprompt|langfuse|humanloop|databricks|gigachat|githubcopilot|chatgpt|blackforestlabs|runway|falai|elevenlabs|deepgram|assemblyai|stability|recraft|topaz|manus|ragflow|bytez)/

export function isForeign(name: string): boolean {
  return foreign.test(plain(name))
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[-_\s]/g, '')
}

function fits(family: string, model: string): boolean {
  return family.endsWith('*') ? model.startsWith(family.slice(0, -1)) : model === family
}
