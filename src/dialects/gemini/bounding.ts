import type { Bounding } from '../../core/bounding.ts'
import { fieldOutside } from '../../operations/common/bounded-fields.ts'
import { charactersIn, countOf, countParts, limitAmong, picturesIn } from '../../operations/common/bounding.ts'
import { kindsLacking } from '../../operations/common/kinds.ts'
import { isObject, type JsonObject, stringAt } from '../../wire/json.ts'
import { withField } from '../../wire/with-field.ts'
import { camel, configOf, isGiven, listOf, objectIn } from './fields.ts'

/** What a tool holds that the client runs. */
const own: ReadonlySet<string> = new Set(['functionDeclarations', 'computerUse'])

function mediaIn(asked: JsonObject): number {
  return countParts(camel(asked).contents, (part) => isObject(part.inlineData) || isObject(part.fileData))
}

export const boundingContent: Bounding = {
  output(asked) {
    const { maxOutputTokens, candidateCount } = configOf(camel(asked))
    return { tokens: limitAmong(maxOutputTokens), answers: countOf(candidateCount) }
  },
  limited(body, tokens) {
    const { generationConfig, generation_config: snake } = body.json
    const name = isObject(snake) ? 'generation_config' : 'generationConfig'
    return withField(body, name, {
      ...objectIn({ given: snake ?? generationConfig }, 'given'),
      maxOutputTokens: tokens,
    })
  },
  media: mediaIn,
  pictures: (asked) =>
    picturesIn(camel(asked).contents, ({ inlineData, fileData }) => {
      if (!/^image\//.test(stringAt(objectOf(inlineData ?? fileData), 'mimeType') ?? '')) return undefined
      return charactersIn(objectOf(inlineData).data)
    }),
  without: (asked) => kindsLacking(asked, mediaIn(asked)),
  unbounded(asked) {
    const { tools, cachedContent } = camel(asked)
    if (isGiven(cachedContent)) return { what: 'what the provider keeps', param: 'cachedContent' }
    const outside = listOf(tools, 'tools')
      .map(outsideIn)
      .find((name) => name !== undefined)
    return outside === undefined ? undefined : { what: `the tool ${outside}`, param: 'tools' }
  },
  outside: (asked) => fieldOutside(camel(asked), fields),
}

const fields: ReadonlySet<string> = new Set(
  ['model', 'contents', 'systemInstruction', 'tools', 'toolConfig', 'safetySettings', 'generationConfig'].concat([
    'labels',
    'cachedContent',
  ]),
)

function objectOf(value: unknown): JsonObject {
  return isObject(value) ? value : {}
}

function outsideIn(tool: JsonObject): string | undefined {
  return Object.keys(tool).find((name) => !own.has(name))
}
