import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { answerWell } from './attempt.ts'
import type { Plan } from './plan.ts'

/** A provider that treats each request as its plan says. */
export interface FaultyUpstream {
  readonly url: string
  /** Starts a campaign and resets the count of attempts. */
  serve(plans: readonly Plan[]): void
  /** The requests whose fault has happened. */
  readonly met: ReadonlySet<number>
  /** Call when the client has read content of a request's answer, so that faults which would overtake it may happen. */
  heard(number: number): void
  close(): Promise<void>
}

/** The gateway's model names for its first deployment and for the fallback. */
export const primary = 'primary'
export const spare = 'spare'

interface Course {
  readonly plan: Plan
  attempts: number
  readonly heard: PromiseWithResolvers<void>
}

/** Listens on its own port. The first message of a request contains its number. */
export async function faultyUpstream(): Promise<FaultyUpstream> {
  let courses = new Map<number, Course>()
  const met = new Set<number>()
  const server = createServer(async (request, response) => {
    response.on('error', () => {})
    if (request.method === 'GET') return list(response)
    const { model, number } = await read(request)
    const course = courses.get(number)
    if (!course) return response.writeHead(400).end('no such request')
    course.attempts++
    const { plan } = course
    const { fault } = plan
    const first = course.attempts === 1
    // If the first deployment does not listen, the spare is the first to see the request.
    const due = fault?.act ? model === primary && (first || plan.lasting) : fault && first && model === spare
    if (due) met.add(number)
    const act = (due && fault?.act) || answerWell
    await act({ ...plan, answer: plan, response, socket: request.socket, heard: course.heard.promise })
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', 1024, listening))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    serve(plans) {
      met.clear()
      courses = new Map(plans.map((plan) => [plan.number, { plan, attempts: 0, heard: Promise.withResolvers() }]))
    },
    met,
    heard: (number) => courses.get(number)?.heard.resolve(),
    close: () =>
      new Promise((closed) => {
        server.close(() => closed())
        server.closeAllConnections()
      }),
  }
}

function list(response: ServerResponse): void {
  const data = [primary, spare].map((id) => ({ id, object: 'model' }))
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ object: 'list', data }))
}

async function read(request: IncomingMessage): Promise<{ model: string; number: number }> {
  const pieces: Buffer[] = []
  for await (const piece of request) pieces.push(piece as Buffer)
  const body = JSON.parse(Buffer.concat(pieces).toString()) as { model: string; messages: { content: string }[] }
  return { model: body.model, number: Number(body.messages[0]?.content) }
}
