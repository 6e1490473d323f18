import type { Bounding, Pictures } from '../../core/bounding.ts'
import { fieldOutside } from '../../operations/common/bounded-fields.ts'
import {
  charactersIn,
  countOf,
  countParts,
  isDrawing,
  limitAmong,
  picturesIn,
} from '../../operations/common/bounding.ts'
import { kindsLacking } from '../../operations/common/kinds.ts'
import { each, outOfSight, type Sight, unknownPart } from '../../operations/common/sight.ts'
import { isObject, type JsonObject, stringAt } from '../../wire/json.ts'
import { withField } from '../../wire/with-field.ts'
import { camel, configOf, isGiven, listOf, objectIn } from './fields.ts'

/** What a tool holds that the client runs. */
const own: ReadonlySet<string> = new Set(['functionDeclarations', 'computerUse'])

/** What of a part is there, or costs nothing. How a video is read (`videoMetadata`) may make it cost more. */
const known: ReadonlySet<string> = new Set(
  ['text', 'functionCall', 'functionResponse', 'executableCode', 'codeExecutionResult'].concat([
    ...['thought', 'thoughtSignature', 'partMetadata', 'mediaResolution', 'toolCall', 'toolResponse'],
  ]),
)

/** All that is read, of a question or of what vectors are made of. */
function promptOf(asked: JsonObject): readonly unknown[] {
  const { contents, systemInstruction, content, requests } = camel(asked)
  const texts = Array.isArray(requests) ? requests : [requests]
  return [contents, systemInstruction, content, ...texts.map((one) => (isObject(one) ? one.content : undefined))]
}

function look(asked: JsonObject, sight: Sight): void {
  for (const content of promptOf(asked))
    each(content, ({ role, ...one }) => lookAtParts('parts' in one ? one.parts : one, sight))
}

function lookAtParts(parts: unknown, sight: Sight): void {
  each(parts, (part) => {
    for (const name in part) {
      const value = part[name]
      if (!isGiven(value)) continue
      if (name === 'fileData') sight.addFile('a file')
      else if (name === 'inlineData') lookAtData(objectOf(value), sight)
      else if (!known.has(name)) sight.lose(unknownPart(name))
      else if (/^(function|tool)Response$/.test(name) && isObject(value)) lookAtParts(value.parts, sight)
    }
  })
}

/** What its media type says is how it is read. */
function lookAtData({ mimeType: given, data }: JsonObject, sight: Sight): void {
  const type = String(given).toLowerCase()
  if (texts.test(type)) return
  if (type.startsWith('image/')) sight.addPictureOf(type, data)
  else if (type.startsWith('audio/')) sight.addRecording(String(data), type)
  else sight.addFile('a file', data)
}

/** Of these each byte is a character, or part of one. */
const texts =
  /^(?:text\/[\w.+-]+|application\/(?:json|xml|yaml|sql|(?:x-)?(?:javascript|typescript|python|yaml|sh)))\s*(?:;|$)/

function mediaIn(asked: JsonObject): number {
  return countParts(promptOf(asked), (part) => isObject(part.inlineData) || isObject(part.fileData))
}

function picturesOf(asked: JsonObject): Pictures {
  return picturesIn(promptOf(asked), ({ inlineData, fileData }) => {
    if (!/^image\//i.test(stringAt(objectOf(inlineData ?? fileData), 'mimeType') ?? '')) return undefined
    return charactersIn(objectOf(inlineData).data)
  })
}

export const boundingContent: Bounding = {
  output(asked) {
    const { maxOutputTokens, candidateCount, responseModalities } = configOf(camel(asked))
    const draws = isDrawing(responseModalities)
    return { tokens: limitAmong(maxOutputTokens), answers: countOf(candidateCount), draws }
  },
  limited(body, tokens) {
    const { generationConfig, generation_config: snake } = body.json
    const name = isObject(snake) ? 'generation_config' : 'generationConfig'
    // One that is no limit would make it two of one name.
    const { max_output_tokens: _, ...config } = objectIn({ given: snake ?? generationConfig }, 'given')
    return withField(body, name, { ...config, maxOutputTokens: tokens })
  },
  media: mediaIn,
  pictures: picturesOf,
  without(asked) {
    const { responseModalities: kinds } = configOf(camel(asked))
    // Proto's JSON takes the numbers of its enumerations.
    const isHeard = [kinds].flat().some((one) => String(one) === '3')
    return kindsLacking(isHeard ? { ...asked, audio: true } : asked, mediaIn(asked))
  },
  unbounded(asked, body) {
    const { tools, cachedContent } = camel(asked)
    if (isGiven(cachedContent)) return { what: 'content that the provider keeps', param: 'cachedContent' }
    const outside = listOf(tools, 'tools')
      .map(outsideIn)
      .find((name) => name !== undefined)
    if (outside !== undefined) return { what: `the tool ${outside}`, param: 'tools' }
    return outOfSight('contents', asked, body, look)
  },
  outside: (asked) => fieldOutside(camel(asked), fields),
}

const fields: ReadonlySet<string> = new Set(
  ['model', 'contents', 'systemInstruction', 'tools', 'toolConfig', 'safetySettings', 'generationConfig'].concat([
    'labels',
    'cachedContent',
  ]),
)

/** Of vectors. */
export const boundingVectors: Bounding = {
  output: () => ({ tokens: 0, answers: 1 }),
  media: mediaIn,
  pictures: picturesOf,
  unbounded: (asked, body) => outOfSight('content', asked, body, look),
  outside: (asked) => fieldOutside(camel(asked), vectorFields),
}

const vectorFields: ReadonlySet<string> = new Set(
  ['model', 'content', 'requests', 'taskType', 'title', 'outputDimensionality', 'autoTruncate'].concat([
    'embedContentConfig',
  ]),
)

function objectOf(value: unknown): JsonObject {
  return isObject(value) ? value : {}
}

function outsideIn(tool: JsonObject): string | undefined {
  return Object.keys(tool).find((name) => !own.has(name))
}
