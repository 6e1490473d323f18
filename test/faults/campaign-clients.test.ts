import { describe, expect, it } from 'vitest'
import type { ApiName } from '../proofs/faults/apis.ts'
import { ask } from '../proofs/faults/client.ts'
import { plainPlan } from '../proofs/faults/plan.ts'
import { verdictOf } from '../proofs/faults/verdict.ts'
import { ollamaGenerate as generate } from '../proofs/faults/wire-ollama.ts'
import { wires } from '../proofs/faults/wires.ts'
import { duringTests } from '../support/during-tests.ts'
import { fakeUpstream, json, type Script, stream } from '../support/upstream.ts'

const { anthropic, gemini, ollama } = wires
const server = duringTests(() => fakeUpstream())

const plan = plainPlan(7, true)
const cut = plan.choices[0]?.length ?? 0
const openaiError = '{"error":{"message":"x","type":"server_error","param":null,"code":null}}'
const bare = '{"error":{"code":503,"message":"x","status":"UNAVAILABLE"}}'

function eventsOf({ roles, said, finishes, done }: (typeof wires)['openai'], most = cut): string[] {
  return [...roles(plan), ...said(plan, 0, most), ...(most < cut ? [] : [...finishes(plan), ...done])]
}

const message = eventsOf(anthropic)
const [start = '', ...others] = message
const begun = eventsOf(anthropic, 2)
const chunks = eventsOf(gemini)
const some = eventsOf(gemini, 2)
const listed = (...events: readonly string[]) => events.map((event) => event.slice(6).trim()).join(',\r\n')
const lines = eventsOf(ollama)
const failing = anthropic.failing('x')

async function verdictOn(api: ApiName, script: Script, streams = true): Promise<string> {
  const asked = { ...plan, api, streams }
  server.script(script)
  const route = { model: 'm' }
  const received = await ask(asked, { url: server.url, key: 'k', route, heard: () => {}, patience: 5_000 })
  return verdictOf(asked, received, { met: false, again: false })
}

describe('A client of the campaign', () => {
  it.each<[ApiName, string, string, readonly string[]]>([
    ['messages', 'whole', 'has all', message],
    ['messages', 'undone', 'has no message_stop', message.slice(0, -1)],
    ['messages', 'silent', 'only ends', begun],
    ['messages', 'wrong', 'has no start', others],
    ['messages', 'wrong', 'starts twice', [start, ...message]],
    ['messages', 'wrong', 'has a block that never ends', message.filter((event) => !event.includes('block_stop'))],
    ['messages', 'wrong', 'goes on behind its end', [...message, start]],
    ['messages', 'wrong', 'ends inside an event', [...begun, anthropic.half(plan)]],
    ['messages', 'wrong', 'has an event that is no JSON', [...begun, anthropic.malformed(plan)]],
    ['messages', 'raised', 'has an error', [...begun, failing]],
    ['messages', 'wrong', 'has an error without a name', [...begun, `data: ${openaiError}\n\n`]],
    ['messages', 'wrong', "has an error in OpenAI's words", [...begun, `event: error\ndata: ${openaiError}\n\n`]],
    ['messages', 'wrong', 'goes on behind an error', [...begun, failing, ...message.slice(-2)]],
    ['generateContent', 'whole', 'has all', chunks],
    ['generateContent', 'silent', 'only ends', some],
    ['generateContent', 'wrong', 'goes on behind its end', [...chunks, ...some]],
    ['generateContent', 'raised', 'has an error', [...some, gemini.failing('x')]],
    ['generateContent', 'raised', 'has an error twice', [...some, `data: ${bare}\n\n`, `${bare}\n\n`]],
    ['generateContent', 'raised', 'has a bare error', [...some, bare]],
    ['generateContent', 'wrong', "has an error in OpenAI's words", [...some, `data: ${openaiError}\n\n`]],
    ['generateContentList', 'whole', 'has all', [`[${listed(...chunks)}]`]],
    ['generateContentList', 'silent', 'only ends', [`[${listed(...some)}]`]],
    ['generateContentList', 'wrong', 'is a list without an end', [`[${listed(...chunks)}`]],
    ['generateContentList', 'raised', 'has an error', [`[${listed(...some, gemini.failing('x'))}]`]],
    ['ollamaChat', 'whole', 'has all', lines],
    ['ollamaChat', 'silent', 'only ends', eventsOf(ollama, 2)],
    ['ollamaChat', 'wrong', 'goes on behind its end', [...lines, ...lines.slice(-1)]],
    ['ollamaChat', 'wrong', 'has an empty line', ['\n', ...lines]],
    ['ollamaChat', 'wrong', 'ends inside a line', [...eventsOf(ollama, 2), ollama.half(plan)]],
    ['ollamaChat', 'raised', 'has an error', [...eventsOf(ollama, 2), ollama.failing('x')]],
    ['ollamaChat', 'wrong', "has an error in OpenAI's words", [...eventsOf(ollama, 2), `${openaiError}\n`]],
    ['ollamaChat', 'wrong', 'is one of /api/generate', eventsOf(generate)],
    ['ollamaGenerate', 'whole', 'has all', eventsOf(generate)],
  ])('of %s takes a stream for %s that %s', async (api, verdict, _how, pieces) => {
    expect(await verdictOn(api, stream(pieces))).toBe(verdict)
  })

  it.each(['messages', 'generateContent', 'generateContentList', 'ollamaChat'] as const)(
    'of %s takes a stream that breaks for wrong',
    async (api) => {
      expect(await verdictOn(api, stream([' '], 'reset'))).toBe('wrong')
    },
  )

  it.each<[ApiName, number, string, string]>([
    ['messages', 529, 'raised', anthropic.failure('x', undefined, 529)],
    ['messages', 503, 'wrong', anthropic.failure('x', undefined, 529)],
    ['messages', 400, 'wrong', openaiError],
    ['generateContent', 503, 'raised', bare],
    ['generateContent', 500, 'wrong', bare],
    ['generateContent', 500, 'wrong', openaiError],
    ['ollamaChat', 500, 'raised', ollama.failure('x')],
    ['ollamaChat', 500, 'wrong', openaiError],
  ])('of %s takes HTTP %i for %s with %s', async (api, status, verdict, text) => {
    expect(await verdictOn(api, json(status, JSON.parse(text)), false)).toBe(verdict)
  })
})
