import { describe, expect, it } from 'vitest'
import type { RequestReport } from '../../src/core/report.ts'
import { Gathering } from '../../src/observe/gathering.ts'
import { ManualClock } from '../support/gateway.ts'

const report = (requestId: string) => ({ requestId }) as RequestReport

function start() {
  const timer = new ManualClock()
  const gathering = new Gathering(timer)
  const heard: string[] = []
  const failed: unknown[] = []
  const observer = (name: string) =>
    gathering.later(
      {
        began: ({ requestId }) => void heard.push(`${name} began ${requestId}`),
        over({ requestId }) {
          if (requestId === 'bad') throw new Error('It does not like this one.')
          heard.push(`${name} ${requestId}`)
        },
      },
      (thrown) => void failed.push(thrown),
    )
  return { timer, gathering, heard, failed, observer }
}

describe('What is told of requests', () => {
  it('comes some at a time, in the order in which they ended, and never twice', async () => {
    const { timer, heard, observer } = start()
    const [one, two] = [observer('one'), observer('two')]
    one.over(report('a'))
    two.over(report('b'))
    one.over(report('c'))
    expect(heard).toEqual([])
    expect(timer.waiting).toBe(1)
    await timer.advance(20)
    await timer.advance(20)
    expect(heard).toEqual(['one a', 'two b', 'one c'])
  })

  it('waits for no more than 64', () => {
    const { timer, heard, observer } = start()
    const one = observer('one')
    for (let n = 0; n < 64; n++) one.over(report(`${n}`))
    expect(heard).toHaveLength(64)
    expect(timer.waiting).toBe(0)
  })

  it('does not wait where somebody wants to know now', () => {
    const { gathering, timer, heard, observer } = start()
    observer('one').over(report('a'))
    gathering.drain()
    expect(heard).toEqual(['one a'])
    expect(timer.waiting).toBe(0)
  })

  it('is told at once when one arrives', () => {
    const { heard, observer } = start()
    observer('one').began?.({ requestId: 'a' } as Parameters<NonNullable<ReturnType<typeof observer>['began']>>[0])
    expect(heard).toEqual(['one began a'])
  })

  it('is told of the others where an observer fails at one', () => {
    const { gathering, heard, failed, observer } = start()
    const one = observer('one')
    for (const id of ['a', 'bad', 'c']) one.over(report(id))
    gathering.drain()
    expect(heard).toEqual(['one a', 'one c'])
    expect(failed).toMatchObject([{ message: 'It does not like this one.' }])
  })
})
