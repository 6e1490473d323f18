import { type Act, answerWell, begun, drip, end, eventsOf, json, openStream, writing } from './attempt.ts'
import type { Fault } from './faults.ts'

const ways = ['whole', 'stream'] as const

/** Every event in pieces that cut through characters, with pauses that no limit minds. */
const slowly: Act = async (attempt) => {
  const { answer, response, wire } = attempt
  if (answer.streams) openStream(attempt)
  else response.writeHead(200, json)
  const bytes = Buffer.from(answer.streams ? eventsOf(attempt).join('') : wire.whole(answer))
  const size = Math.ceil(bytes.length / 30)
  const pieces = Array.from({ length: 30 }, (_, at) => bytes.subarray(at * size, (at + 1) * size))
  await drip(attempt, pieces, 10)
  response.end()
}

/** Faults that leave the answer complete, so that the client must notice nothing. */
export const harmless: readonly Fault[] = [
  {
    name: 'no [DONE] after the finish',
    when: 'harmless',
    ways: ['stream'],
    wires: ['openai', 'huggingface'],
    act: begun(writing(({ answer, cut, wire }) => [...wire.said(answer, cut), ...wire.finishes(answer)], end)),
  },
  { name: 'slow drip', when: 'harmless', ways, act: slowly },
  {
    name: 'closes after it promised keep-alive',
    when: 'harmless',
    ways,
    act: (attempt) => {
      attempt.response.once('finish', () => attempt.socket.end())
      return answerWell(attempt)
    },
  },
  {
    name: 'resets the next request on the connection',
    when: 'harmless',
    ways,
    act: (attempt) => {
      attempt.doom()
      return answerWell(attempt)
    },
  },
]
