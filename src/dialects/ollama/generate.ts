import type { Operation } from '../../core/operation.ts'
import { chat } from '../../operations/chat.ts'
import { invalid, type RequestBody } from '../../wire/body.ts'
import { GatewayError, shorten } from '../../wire/errors.ts'
import type { JsonObject } from '../../wire/json.ts'
import { beginAnswer, overChat, wantsStream } from './chat.ts'
import { aBool, aMap, anInt, aString, checkFields, checkSettings, listOf } from './check.ts'
import { demandFor } from './demand.ts'
import { generateForm } from './form.ts'
import { withImages } from './images.ts'
import { faultIn, LinesReader, usageOf } from './reader.ts'

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
  reader: () => new LinesReader(),
  over: {
    operation: chat,
    begin(body, context) {
      const asked = body.json
      refuseTemplates(asked, body.model ?? context.model)
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

/** A chat always has its model's own template. */
function refuseTemplates({ suffix, raw }: JsonObject, model: string): void {
  if (isText(suffix)) throw incapable(model, 'suffix', 'insert')
  if (raw === true) throw incapable(model, 'raw', 'raw mode')
}

function incapable(model: string, param: string, what: string): GatewayError {
  return new GatewayError('incapable', `${JSON.stringify(shorten(model))} does not support ${what}`, { param })
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
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
