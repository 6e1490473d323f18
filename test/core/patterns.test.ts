import { describe, expect, it } from 'vitest'
import { registry } from '../../providers/index.ts'
import { buildCatalog } from '../../src/config/catalog.ts'
import { findGroup, type Known } from '../../src/core/catalog.ts'
import { type Match, PatternIndex } from '../../src/core/patterns.ts'
import { seeded } from '../support/ask.ts'
import { usually } from '../support/usually.ts'

type Random = () => number

/** Few letters, so that most patterns overlap; among them halves of characters, and what regular expressions mean. */
const letters = ['a', 'a', 'a', 'b', 'b', '-', '.', '$', '\ud83d', '\ude00']

function word(random: Random, longest: number): string {
  const length = Math.floor(random() * (longest + 1))
  return Array.from({ length }, () => letters[Math.floor(random() * letters.length)]).join('')
}

function somePattern(random: Random): string {
  const stars = 1 + Math.floor(random() ** 2 * 4)
  return Array.from({ length: stars + 1 }, () => word(random, 3)).join('*')
}

/** One name after the other: what the index must agree with. */
function scan(patterns: readonly string[], name: string): Match<string> | undefined {
  const ordered = [...patterns].sort((a, b) => b.length - a.length)
  for (const value of ordered) {
    const parts = value.split('*')
    if (!new RegExp(`^${parts.map((part) => RegExp.escape(part)).join('.*')}$`, 's').test(name)) continue
    return { value, middle: name.slice(parts[0]?.length, name.length - (parts.at(-1)?.length ?? 0)) }
  }
  return undefined
}

const indexOf = (patterns: readonly string[]) => new PatternIndex(patterns.map((pattern) => [pattern, pattern]))

describe('The index of patterns', () => {
  it.each([
    [usually(500, 3_000), 8],
    [usually(20, 100), 300],
  ])('finds what a scan of all patterns finds (%i sets of up to %i patterns)', (sets, most) => {
    const random = seeded(1_957)
    let fitting = 0
    for (let set = 0; set < sets; set++) {
      const count = 1 + Math.floor(random() * most)
      const patterns = [...new Set(Array.from({ length: count }, () => somePattern(random)))]
      const index = indexOf(patterns)
      for (let round = 0; round < 20; round++) {
        const name = word(random, 10)
        const expected = scan(patterns, name)
        if (expected) fitting++
        expect(index.find(name), `${JSON.stringify(patterns)} ${JSON.stringify(name)}`).toEqual(expected)
      }
    }
    expect(fitting).toBeGreaterThan(sets * 3)
  })

  it('knows nothing when it is empty', () => {
    expect(indexOf([]).find('a')).toBeUndefined()
  })

  it('fits a star to the empty name', () => {
    expect(indexOf(['*a*', '*']).find('')).toEqual({ value: '*', middle: '' })
  })

  it('does not let what a name begins and ends with overlap', () => {
    expect(indexOf(['aba*bab']).find('abab')).toBeUndefined()
    expect(indexOf(['aba*bab']).find('ababab')).toEqual({ value: 'aba*bab', middle: '' })
  })
})

describe('A name', () => {
  const providers = ['a', 'b', '-'].map((name) => [name, { type: 'openai-compatible', baseURL: `http://${name}.test` }])
  const slashed = (random: Random) => (random() < 0.4 ? `${word(random, 1)}/${word(random, 3)}` : word(random, 4))

  it.each([usually(100, 500)])(
    'is exact, provider/model, fits a pattern or is listed, in this order (%i catalogs)',
    (catalogs) => {
      const random = seeded(42)
      const ways = new Set<string>()
      for (let round = 0; round < catalogs; round++) {
        const patterns = Array.from({ length: Math.floor(random() * 6) }, () => somePattern(random))
        const exact = Array.from({ length: Math.floor(random() * 6) }, () => slashed(random) || 'a')
        const models = Object.fromEntries([...exact, ...patterns].map((name, place) => [name, `a/${place}`]))
        const catalog = buildCatalog({ providers: Object.fromEntries(providers), models }, registry, {})
        const ids = Array.from({ length: 4 }, () => `${slashed(random)}${random() < 0.5 ? ':latest' : ''}`)
        const known: Known = new Map([['b', new Map(ids.map((id) => [id, { id }]))]])
        for (let turn = 0; turn < 20; turn++) {
          const name = slashed(random)
          const [front, model] = [name.slice(0, name.indexOf('/')), name.slice(name.indexOf('/') + 1)]
          const fit = scan(Object.keys(models), name)?.value
          const listed = [name, `${name}:latest`].find((id) => ids.includes(id))
          const direct = name.includes('/') && catalog.providers.has(front) && model !== ''
          const [way, label] = Object.hasOwn(models, name)
            ? ['exact', models[name]]
            : direct
              ? ['direct', name]
              : fit !== undefined
                ? ['pattern', models[fit]]
                : listed !== undefined
                  ? ['listed', `b/${listed}`]
                  : ['none', undefined]
          ways.add(way)
          const group = findGroup(catalog, name, known)
          expect(group?.deployments[0]?.label, `${JSON.stringify(models)} ${JSON.stringify(name)}`).toBe(label)
        }
      }
      expect([...ways].sort()).toEqual(['direct', 'exact', 'listed', 'none', 'pattern'])
    },
  )
})
