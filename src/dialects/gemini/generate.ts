import { atHand } from '../../core/late.ts'
import type { Operation } from '../../core/operation.ts'
import type { Translated, Translation } from '../../core/translation.ts'
import { chat } from '../../operations/chat.ts'
import { extrasOf } from '../../operations/common/extras.ts'
import { parseBody } from '../../wire/body.ts'
import { identifier } from '../../wire/ids.ts'
import { type JsonObject, stringAt } from '../../wire/json.ts'
import { type Head, wantsThoughts, wholeAnswer } from './answer.ts'
import { beat } from './beat.ts'
import { boundingContent } from './bounding.ts'
import { checkContents } from './check.ts'
import { contentDemand } from './demand.ts'
import { ContentEvents } from './events.ts'
import { camel, objectIn, unsupported } from './fields.ts'
import { ContentReader, conclusionOf, faultIn, usageIn } from './reader.ts'
import { hints, inOwnTerms, toChat } from './request.ts'
import { unsealed } from './thoughts.ts'
import { Turn } from './turn.ts'

function overChat(streams: boolean): Translation<Operation> {
  return {
    operation: chat,
    direct: unsealed,
    failure: inOwnTerms,
    begin({ json }, context): Translated {
      const asked = camel(json)
      if (streams && Number(objectIn(asked, 'generationConfig').candidateCount ?? 1) > 1) {
        throw unsupported('generationConfig.candidateCount in a stream')
      }
      const { chat: request, dropped, given } = toChat(asked, context, streams)
      const head: Head = { modelVersion: context.model, responseId: identifier('', context.random, 24) }
      const turn = () => new Turn(context.random, wantsThoughts(asked), given)
      return {
        body: parseBody(new TextEncoder().encode(JSON.stringify(request))),
        dropped,
        optional: hints,
        answer: (answer) =>
          wholeAnswer(answer, { ...head, modelVersion: stringAt(answer, 'model') || head.modelVersion }, turn),
        leftOut: (answer) => extrasOf(answer, extras),
        stage: () => new ContentEvents(turn(), head),
      }
    },
  }
}

/** What its answers have in another form, or not at all. */
const extras = ['annotations', 'audio'] as const

/** The fields of a configuration that Gemini has too, where its server is asked in its own terms. */
const own: ReadonlySet<string> = new Set([
  'safetySettings',
  'generationConfig',
  'cachedContent',
  'toolConfig',
  'labels',
])

/** The path says whether a stream is wanted, so there are two operations; a provider serves both by the same name. */
function generating(streams: boolean): Operation {
  return {
    name: 'generateContent',
    path: '/models/{model}:generateContent',
    routes: [],
    prompt: 'contents',
    streams: () => streams,
    check: checkContents,
    inOwnNames: (fields: JsonObject) => Object.fromEntries(Object.entries(fields).filter(([name]) => own.has(name))),
    query: contentDemand,
    fault: faultIn,
    usage: usageIn,
    conclusion: conclusionOf,
    bounding: atHand(boundingContent),
    reader: () => new ContentReader(),
    beat,
    over: overChat(streams),
  }
}

export const generateContent = generating(false)
export const streamGenerateContent = generating(true)
