import { seeded } from '../../support/ask.ts'
import { pickFrom, type Random } from '../../support/bodies.ts'
import { type Answer, sealed } from './answers.ts'
import { type ApiName, apis as all, ownApis } from './apis.ts'
import { type Fault, faults } from './faults.ts'
import { type WireName, wireNames } from './wires.ts'

/** One request of a campaign, and everything that happens to it. */
export interface Plan extends Answer {
  readonly fault: Fault | undefined
  /** How the first deployment's provider speaks. */
  readonly wire: WireName
  /** The fault happens at every attempt on the first deployment, so that only the fallback can answer. */
  readonly lasting: boolean
  readonly cut: number
  readonly waits: boolean
  readonly pieces: boolean
  /** By which API the client asks. */
  readonly api: ApiName
  /** Whether OpenAI's own client sends the request. */
  readonly official: boolean
  /** What the request holds besides. */
  readonly fields?: Readonly<Record<string, unknown>>
  /** Milliseconds that every deployment takes before it answers. */
  readonly delay?: number
}

export interface CampaignOptions {
  readonly requests: number
  /** Share of the requests that have a fault. */
  readonly faults: number
  readonly seed: number
  /** The wires of the first deployments; all if it is left out. */
  readonly wires?: readonly WireName[] | undefined
  /** The APIs by which clients ask, where one choice is asked for; only chats if it is left out. */
  readonly apis?: readonly ApiName[] | undefined
}

/** The share of the requests that ask a provider in its own API. */
const direct = 0.4

/** Formats of providers that any gateway can ask. */
const common: readonly WireName[] = ['openai', 'huggingface', 'ollama']

/** The formats by which a client of a gateway is answered that serves these APIs. */
export function wiresFor(wires: readonly WireName[], apis: readonly ApiName[] = []): readonly WireName[] {
  return apis.length > 1 ? wires : wires.filter((wire) => common.includes(wire))
}

/**
 * The same campaign for the same seed, and the same request for the same seed and number. Faults are drawn from shuffled
 * decks, so that none is left out by chance.
 */
export function plansOf({
  requests,
  faults: share,
  seed,
  wires: chosen = wireNames,
  apis = ['chat'],
}: CampaignOptions): Plan[] {
  const wires = wiresFor(chosen, apis)
  const random = randomFor(seed, 0)
  const faulty = Math.round(requests * share)
  const possible = faults.filter((fault) => wiresOf(fault, wires).length > 0 && apisOf(fault, apis).length > 0)
  const dealt: (Fault | undefined)[] = []
  while (dealt.length < faulty) dealt.push(...shuffled(possible, random))
  dealt.length = faulty
  while (dealt.length < requests) dealt.push(undefined)
  return shuffled(dealt, random).map((fault, number) => {
    const own = randomFor(seed, number + 1)
    const plan = planOf(number, fault, own, wires)
    if (plan.choices.length > 1 || apis.length === 1) return plan
    const api = apiOf(plan, apisOf(fault, apis), own)
    return { ...plan, api, official: plan.official && all[api].askOfficially !== undefined }
  })
}

/** A request without a fault. */
export function plainPlan(number: number, streams: boolean, wire: WireName = 'openai'): Plan {
  return { ...planOf(number, undefined, randomFor(0, number + 1), [wire]), streams }
}

/** A random plan for a request. */
export function planOf(
  number: number,
  fault: Fault | undefined,
  random: Random,
  wires: readonly WireName[] = wireNames,
): Plan {
  const streams = fault ? pickFrom(fault.ways, random) === 'stream' : random() < 0.7
  const wire = pickFrom(fault ? wiresOf(fault, wires) : wires, random)
  // The others are asked for one choice at a time.
  const count = fault?.choices ?? (wire === 'openai' && random() < 0.1 ? 2 : 1)
  const length = 3 + Math.floor(random() * 10)
  return {
    number,
    fault,
    wire,
    streams,
    choices: Array.from({ length: count }, (_, choice) => sealed(number, choice, wordsOf(length, random))),
    lasting: random() < 0.3,
    // The checksum is never among the words before a fault.
    cut: 1 + Math.floor(random() * length),
    waits: fault?.overtakes || random() < 0.5,
    pieces: random() < 0.5,
    api: wire === 'responses' ? 'responses' : 'chat',
    official: random() < 0.05,
  }
}

export function wordsOf(length: number, random: Random): string[] {
  return Array.from({ length }, () => pickFrom(vocabulary, random))
}

export function randomFor(seed: number, number: number): Random {
  const random = seeded(Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(number, 0x85ebca6b))
  // The first numbers of neighbouring seeds are alike.
  for (let turn = 0; turn < 4; turn++) random()
  return random
}

function wiresOf(fault: Fault, wires: readonly WireName[]): readonly WireName[] {
  return fault.wires ? wires.filter((wire) => fault.wires?.includes(wire)) : wires
}

function apisOf(fault: Fault | undefined, apis: readonly ApiName[]): readonly ApiName[] {
  return fault?.apis ? apis.filter((api) => fault.apis?.includes(api)) : apis
}

function apiOf({ wire }: Plan, apis: readonly ApiName[], random: Random): ApiName {
  // Its provider makes responses itself.
  if (wire === 'responses') return 'responses'
  const own = apis.filter((api) => ownApis[wire].includes(api))
  return pickFrom(own.length > 0 && random() < direct ? own : apis, random)
}

const vocabulary = [
  'so',
  'wire',
  'größer',
  '日本語',
  '👩‍👩‍👧',
  '"quoted"',
  'back\\slash',
  'line\nbreak',
  'data: [DONE]\n\n',
  '{}',
  'error',
]

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const mixed = [...items]
  for (let at = mixed.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1))
    const held = mixed[at] as T
    mixed[at] = mixed[other] as T
    mixed[other] = held
  }
  return mixed
}
