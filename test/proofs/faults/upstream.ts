import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { continued } from './answers.ts'
import { answerWell } from './attempt.ts'
import { answerOther, primary } from './models.ts'
import type { Plan } from './plan.ts'
import { wires } from './wires.ts'

/** What happened to one request at the upstream. */
export interface Course {
  readonly plan: Plan
  /** How often a gateway sent it. */
  attempts: number
  /** Whether its fault has happened. */
  met: boolean
  /** Whether the upstream saw it again after the fault. */
  again: boolean
  /** Resolves when the client has read content of the answer, so that faults which would overtake it may happen. */
  readonly heard: PromiseWithResolvers<void>
}

/** A provider that treats each request as its plan says, in the formats of OpenAI's two APIs, Hugging Face and Ollama. */
export interface FaultyUpstream {
  readonly port: number
  /** The address without a path; `/v1`, `/huggingface/v1` and `/ollama` are below it. */
  readonly url: string
  /** Announces a request. Its number must not have been used since `clear`. */
  expect(plan: Plan): Course
  /** Takes a request for unknown from now on. */
  forget(number: number): void
  /** Forgets all requests. */
  clear(): void
  /** Requests on the first deployments, and on all, since `clear`. */
  readonly asked: { first: number; all: number }
  /** Answers that neither ended nor broke off. */
  readonly open: number
  /** Closes the connections that no answer needs. */
  closeIdle(): void
  close(): Promise<void>
}

/** Starts an upstream. The first message of a request, or its input, is its number. */
export async function faultyUpstream(port = 0): Promise<FaultyUpstream> {
  const courses = new Map<number, Course>()
  const open = new Set<ServerResponse>()
  const doomed = new WeakSet<Socket>()
  const asked = { first: 0, all: 0 }

  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request
    open.add(response)
    response.on('error', () => {}).on('close', () => open.delete(response))
    if (doomed.has(socket)) return socket.resetAndDestroy()
    const text = await textOf(request)
    if (text === undefined) return
    if (!/\/(chat(\/completions)?|responses)$/.test(request.url ?? '')) return answerOther(request, response)
    const { model, number, beginning } = read(text)
    const course = courses.get(number)
    if (!course) return response.writeHead(400).end('no such request')
    const isFirst = model.startsWith(primary)
    asked.all++
    if (isFirst) asked.first++
    course.attempts++
    if (course.met) course.again = true
    const act = actOf(course, isFirst)
    const { plan } = course
    if (plan.delay) await wait(plan.delay)
    await act({
      ...plan,
      wire: wires[wireOf(request.url ?? '')],
      answer: beginning === undefined ? plan : continued(plan, beginning),
      response,
      socket,
      heard: course.heard.promise,
      doom: () => doomed.add(socket),
    })
  }

  const server = createServer((request, response) => void answer(request, response))
  await new Promise<void>((listening) => server.listen(port, '127.0.0.1', 1024, listening))
  const address = server.address() as AddressInfo
  return {
    port: address.port,
    url: `http://127.0.0.1:${address.port}`,
    expect(plan) {
      const course = { plan, attempts: 0, met: false, again: false, heard: Promise.withResolvers<void>() }
      courses.set(plan.number, course)
      return course
    },
    forget: (number) => courses.delete(number),
    clear() {
      courses.clear()
      Object.assign(asked, { first: 0, all: 0 })
    },
    asked,
    get open() {
      return open.size
    },
    closeIdle: () => server.closeIdleConnections(),
    close: () =>
      new Promise((closed) => {
        server.close(() => closed())
        server.closeAllConnections()
      }),
  }
}

/** What to do with an attempt. */
function actOf(course: Course, isFirst: boolean) {
  const { fault, lasting } = course.plan
  if (!fault) return answerWell
  // If the first deployment does not listen, the spare is the first to see the request.
  const due = fault.act ? isFirst && (course.attempts === 1 || lasting) : course.attempts === 1 && !isFirst
  if (due) course.met = true
  return (due && fault.act) || answerWell
}

function wireOf(path: string) {
  if (path.endsWith('/api/chat')) return 'ollama'
  if (path.endsWith('/responses')) return 'responses'
  return path.includes('/huggingface/') ? 'huggingface' : 'openai'
}

/** The body of a request; undefined if the other side left. */
async function textOf(request: IncomingMessage): Promise<string | undefined> {
  const pieces: Buffer[] = []
  try {
    for await (const piece of request) pieces.push(piece as Buffer)
  } catch {
    return undefined
  }
  return Buffer.concat(pieces).toString()
}

interface Body {
  readonly model: string
  readonly messages?: readonly { readonly role: string; readonly content: string }[]
  readonly input?: string
}

/** `beginning` is the part of the answer that the request asks to continue. */
function read(text: string): { model: string; number: number; beginning: string | undefined } {
  const { model, messages = [], input } = JSON.parse(text) as Body
  const last = messages.at(-1)
  return {
    model,
    number: Number(input ?? messages.find(({ role }) => role === 'user')?.content),
    beginning: last?.role === 'assistant' ? last.content : undefined,
  }
}
