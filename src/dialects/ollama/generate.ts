import { atHand } from '../../core/late.ts'
import type { Operation } from '../../core/operation.ts'
import { chat } from '../../operations/chat.ts'
import { invalid, type RequestBody } from '../../wire/body.ts'
import { boundingOllama } from './bounding.ts'
import { beginAnswer, overChat, wantsStream } from './chat.ts'
import { aBool, aMap, anInt, aString, checkFields, checkSettings, listOf } from './check.ts'
import { demandFor } from './demand.ts'
import { generateForm } from './form.ts'
import { withImages } from './images.ts'
import { overCompletions, overRawCompletions } from './plain.ts'
import { conclusionOf, faultIn, LinesReader, usageOf } from './reader.ts'
import { inOwnTerms } from './settings.ts'

export const ollamaGenerate: Operation = {
  name: 'ollamaGenerate',
  path: '/api/generate',
  routes: [],
  prompt: 'prompt',
  streams: wantsStream,
  check: checkGenerate,
  query: ({ outline }) => demandFor(outline, [outline.system, outline.prompt], [outline.images]),
  fault: (answer) => faultIn(answer, 'response'),
  usage: usageOf,
  conclusion: conclusionOf,
  bounding: atHand(boundingOllama),
  reader: () => new LinesReader(),
  over: {
    operation: chat,
    failure: inOwnTerms,
    begin(body, context) {
      const asked = body.json
      const { system, prompt, images, template, context: before } = asked
      const messages = [
        ...(isText(system) ? [{ role: 'system', content: system }] : []),
        { role: 'user', content: withImages(isText(prompt) ? prompt : '', images, 'images') },
      ]
      const dropped = [...(isText(template) ? ['template'] : []), ...(Array.isArray(before) ? ['context'] : [])]
      const answering = beginAnswer(generateForm, context)
      return overChat(asked, { messages }, { answering, dropped, isEmpty: !isText(prompt) })
    },
  },
}

export function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

/** A prompt that has to reach the model as it is, or a text that is to end in another one: no chat can have either. */
const plain = { ...ollamaGenerate, over: overCompletions }
const raw = { ...ollamaGenerate, over: overRawCompletions }

export function generateFor({ outline }: RequestBody): Operation {
  return outline.raw === true ? raw : isText(outline.suffix) ? plain : ollamaGenerate
}

const fields = {
  prompt: aString,
  suffix: aString,
  system: aString,
  template: aString,
  context: listOf('int'),
  raw: aBool,
  images: listOf('api.ImageData'),
  stream: aBool,
  options: aMap,
  logprobs: aBool,
  top_logprobs: anInt,
}

function checkGenerate({ outline }: RequestBody): void {
  checkFields(outline, 'GenerateRequest', fields)
  checkSettings(outline)
  const { raw, template, system, context } = outline
  const isTemplated = isText(template) || isText(system) || (Array.isArray(context) && context.length > 0)
  if (raw === true && isTemplated) throw invalid('raw mode does not support template, system, or context')
}
