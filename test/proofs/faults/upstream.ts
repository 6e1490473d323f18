import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { continued } from './answers.ts'
import { answerWell } from './attempt.ts'
import { answerOther, primary } from './models.ts'
import type { Plan } from './plan.ts'
import { wireAt } from './wires.ts'

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

/** A provider that treats each request as its plan says, in the format of the API that is asked. */
export interface FaultyUpstream {
  readonly port: number
  /** The address without a path; `/v1`, `/huggingface/v1`, `/ollama`, `/anthropic` and `/gemini` are below it. */
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
    const { url = '' } = request
    const wire = wireAt(url)
    if (!wire) return answerOther(request, response)
    const { model, number, beginning } = read(text, url)
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
      wire,
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
  readonly model?: string
  readonly messages?: readonly { readonly role: string; readonly content: Content }[]
  readonly input?: string
  readonly prompt?: string
  readonly contents?: readonly { readonly parts: readonly { readonly text: string }[] }[]
}

type Content = string | readonly { readonly text: string }[]

/** `beginning` is the part of the answer that the request asks to continue. */
function read(text: string, url: string): { model: string; number: number; beginning: string | undefined } {
  const {
    model = /\/models\/([^:]+):/.exec(url)?.[1] ?? '',
    messages = [],
    input,
    prompt,
    contents,
  } = JSON.parse(text) as Body
  const last = messages.at(-1)
  const asked = messages.find(({ role }) => role === 'user')?.content
  return {
    model,
    number: Number(input ?? prompt ?? wordsIn(contents?.[0]?.parts ?? asked)),
    beginning: last?.role === 'assistant' ? wordsIn(last.content) : undefined,
  }
}

function wordsIn(content: Content = ''): string {
  return typeof content === 'string' ? content : content.map(({ text }) => text).join('')
}
