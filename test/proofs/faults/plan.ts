import { seeded } from '../../support/ask.ts'
import { pickFrom, type Random } from '../../support/bodies.ts'
import { type Answer, sealed } from './answers.ts'
import { type Fault, faults } from './faults.ts'

/** One request of a campaign, and everything that happens to it. */
export interface Plan extends Answer {
  readonly fault: Fault | undefined
  /** The fault happens at every attempt on the first deployment, so that only the fallback can answer. */
  readonly lasting: boolean
  readonly cut: number
  readonly waits: boolean
  readonly pieces: boolean
  /** Whether OpenAI's own client sends the request. */
  readonly official: boolean
}

export interface CampaignOptions {
  readonly requests: number
  /** Share of the requests that have a fault. */
  readonly faults: number
  readonly seed: number
}

/** The same campaign for the same seed. Faults are drawn from shuffled decks, so that none is left out by chance. */
export function plansOf({ requests, faults: share, seed }: CampaignOptions): Plan[] {
  const random = seeded(Math.imul(seed + 1, 0x9e3779b1))
  const faulty = Math.round(requests * share)
  const dealt: (Fault | undefined)[] = []
  while (dealt.length < faulty) dealt.push(...shuffled(faults, random))
  dealt.length = faulty
  while (dealt.length < requests) dealt.push(undefined)
  return shuffled(dealt, random).map((fault, number) => planOf(number, fault, random))
}

/** A request without a fault. */
export function plainPlan(number: number, streams: boolean): Plan {
  return { ...planOf(number, undefined, seeded(number)), streams }
}

function planOf(number: number, fault: Fault | undefined, random: Random): Plan {
  const streams = fault ? pickFrom(fault.ways, random) === 'stream' : random() < 0.7
  const count = fault?.choices ?? (random() < 0.1 ? 2 : 1)
  const length = 3 + Math.floor(random() * 10)
  const choices = Array.from({ length: count }, (_, choice) =>
    sealed(
      number,
      choice,
      Array.from({ length }, () => pickFrom(vocabulary, random)),
    ),
  )
  return {
    number,
    fault,
    streams,
    choices,
    lasting: random() < 0.3,
    // The checksum is never among the words before a fault.
    cut: 1 + Math.floor(random() * length),
    waits: fault?.overtakes || random() < 0.5,
    pieces: random() < 0.5,
    official: random() < 0.05,
  }
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
  const left = [...items]
  return items.map(() => left.splice(Math.floor(random() * left.length), 1)[0] as T)
}
