import { isDeepStrictEqual, parseArgs } from 'node:util'
import type { Config } from '../../src/config/schema.ts'
import { noLists, seeded } from '../support/ask.ts'
import {
  awkward,
  chunksOf,
  cutAt,
  finishStart,
  firstContentEnd,
  framesOf,
  type ModelOptions,
  prompt,
  readStream,
  ways,
} from '../support/continuing.ts'
import { startGateway } from '../support/gateway.ts'
import { fakeUpstream, type Script } from '../support/upstream.ts'

/**
 * Cuts streams at random bytes, in each way in which streams break, a third of them twice, and compares what the client
 * gets with the stream that was not cut. Then it cuts streams that can't be continued exactly: each must end with an
 * error, and none with a wrong text.
 */
const { values } = parseArgs({ options: { cuts: { type: 'string' }, seed: { type: 'string' } } })
const cuts = Number(values.cuts ?? 1000)
const random = seeded(Number(values.seed ?? 1))
const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T

const type = 'openai-compatible'
const broken = await fakeUpstream()
const rest = await fakeUpstream()
/** The first deployment gets the requests: the other one has no weight, and is there for the rest. */
const then = (model: string) => ({ deployments: ['broken/m', { model, weight: 0 }], resume: true })
const config: Config = {
  providers: {
    broken: { type, baseURL: broken.url },
    exact: { type, baseURL: rest.url, continues: 'llamacpp' },
    trims: { type, baseURL: rest.url, continues: 'vllm' },
    demo: { type: 'embedded' },
  },
  // Each break is to be met, not the cooldown after it.
  cooldown: false,
  models: { exact: then('exact/m'), trims: then('trims/m'), demo: then('demo/tiny-chat') },
}
const gateway = await startGateway(config, { services: noLists })

async function ask(path: string, body: object): Promise<string> {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(gateway.baseURL + path, { method: 'POST', headers, body: JSON.stringify(body) })
  return await response.text()
}

type Model = 'exact' | 'trims' | 'demo'

interface Case {
  readonly name: string
  /** Who continues. */
  readonly model: Model
  readonly path: string
  readonly body: object
  /** The stream that is not cut, of the answer or of its rest. */
  readonly whole: (body: object) => Promise<string>
}

const paths = { chat: '/chat/completions', completions: '/completions' }
const streaming = { stream: true, stream_options: { include_usage: true } }
const chat = (content: string, more = {}) => ({ messages: [{ role: 'user', content }], ...streaming, ...more })
/** In the model's own template: of other texts this small model makes words in tokens that it would read as others. */
const turn = (content: string) => `<|im_start|>user\n${content}<|im_end|>\n<|im_start|>assistant\n`
const completion = (given: string, most: number) => ({ prompt: given, max_tokens: most, ...streaming })

const fixed: Record<'exact' | 'trims', ModelOptions> = {
  exact: { text: awkward },
  trims: { text: awkward, trims: true },
}
const fake = (model: 'exact' | 'trims', path: string, body: object): Case => ({
  name: `a fixed text, ${path}, ${model === 'trims' ? 'trimmed' : 'not trimmed'}`,
  ...{ model, path, body },
  whole: async (asked) => framesOf(asked, fixed[model]),
})
const embedded = (model: 'demo' | 'exact', path: string, body: object): Case => ({
  name: `the embedded model, ${path}, ${model === 'demo' ? 'in the process' : 'behind HTTP'}`,
  ...{ model, path, body },
  whole: (asked) => ask(path, { ...asked, model: 'demo/tiny-chat' }),
})

const questions = ['Tell me about the sea.', 'hi', 'What is a gateway?', 'Tell me a story.', 'Who are you?']
const cases: readonly Case[] = [
  fake('exact', paths.chat, chat('hi')),
  fake('exact', paths.chat, chat('hi', { max_tokens: 40 })),
  fake('exact', paths.completions, completion(prompt, 500)),
  fake('trims', paths.chat, chat('hi')),
  ...(['demo', 'exact'] as const).flatMap((model) =>
    questions.flatMap((question) => [
      embedded(model, paths.chat, chat(question, { temperature: 0, max_tokens: 100 })),
      embedded(model, paths.completions, completion(turn(question), 80)),
    ]),
  ),
]

/** A byte from the first content on, before which a failure costs nothing, up to the finish. */
function anyByte(frames: string): number {
  const [start, end] = [firstContentEnd(frames), finishStart(frames)]
  return start + Math.floor(random() * Math.max(1, end - start))
}

/** Answers like the case's server, and breaks off if `breaks`. */
const answers =
  ({ whole }: Case, breaks: boolean): Script =>
  async (request, response, socket) => {
    const frames = await whole(JSON.parse(request.body))
    const end = breaks ? cutAt(frames, anyByte(frames), pick(ways)) : cutAt(frames, Number.POSITIVE_INFINITY, 'end')
    await end(request, response, socket)
  }

async function cut(one: Case, frames: string, at: number, more: object = {}): Promise<string> {
  broken.script(cutAt(frames, at, pick(ways)))
  return await ask(one.path, { ...one.body, model: one.model, ...more })
}

/** What of a chunk must be the same: all, but for what the gateway can't know of the prompt. */
const comparable = (stream: string) =>
  chunksOf(stream).map((one) =>
    JSON.parse(JSON.stringify(one, (key, value) => (key === 'prompt_tokens_details' ? undefined : value))),
  )

/** The texts are, if white space was lost and written again: in how many events, nobody can tell. */
const essence = (stream: string) => ({ ...readStream(stream), usage: [], continued: [] })

const same = (got: string, whole: string, { model }: Case) =>
  model === 'trims'
    ? isDeepStrictEqual(essence(got), essence(whole))
    : isDeepStrictEqual(comparable(got), comparable(whole))

const failures: string[] = []
const tally = new Map<string, { cuts: number; seams: number; same: number }>()
const wholes = await Promise.all(cases.map(({ whole, body }) => whole(body)))
for (let i = 0; i < cuts; i++) {
  const one = cases[i % cases.length] as Case
  const whole = wholes[i % cases.length] as string
  const twice = one.model !== 'demo' && random() < 1 / 3
  rest.script(...(twice ? [answers(one, true)] : []), answers(one, false))
  const at = anyByte(whole)
  const got = await cut(one, whole, at)
  const sum = tally.get(one.name) ?? { cuts: 0, seams: 0, same: 0 }
  tally.set(one.name, sum)
  sum.cuts++
  sum.seams += readStream(got).continued.length
  if (same(got, whole, one)) sum.same++
  else failures.push(`${one.name}, cut at byte ${at}${twice ? ' and again' : ''}: ${readStream(got).text.slice(-60)}`)
}
console.table(Object.fromEntries(tally))

const declined: readonly [string, object][] = [
  ['tools', { tools: [{ type: 'function', function: { name: 'f', parameters: {} } }] }],
  ['JSON mode', { response_format: { type: 'json_object' } }],
  ['log probabilities', { logprobs: true }],
  ['two answers', { n: 2 }],
  ['penalties', { presence_penalty: 1 }],
  ['a reached limit', { max_tokens: 1 }],
  ['a model that isn’t to be continued', { model: 'broken/m' }],
]
let errors = 0
for (const [what, more] of declined) {
  const [one, whole] = [cases[0] as Case, wholes[0] as string]
  rest.script(answers(one, false))
  for (let i = 0; i < 20; i++) {
    const at = anyByte(whole)
    const { text, finishes, ends, continued } = readStream(await cut(one, whole, at, more))
    if (finishes.length + ends + continued.length === 0 && awkward.startsWith(text)) errors++
    else failures.push(`${what}, cut at byte ${at}: ends with ${JSON.stringify(text.slice(-60))}, ${finishes}`)
  }
}
console.log(`${errors} of ${declined.length * 20} streams that can't be continued ended with an error`)
console.log(failures.slice(0, 20).join('\n'))
await gateway.close()
await broken.close()
await rest.close()
process.exitCode = failures.length > 0 ? 1 : 0
