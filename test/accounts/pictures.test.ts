import { expect, it } from 'vitest'
import { boundingMessage } from '../../src/dialects/anthropic/bounding.ts'
import { boundingContent } from '../../src/dialects/gemini/bounding.ts'
import { boundingOllama } from '../../src/dialects/ollama/bounding.ts'
import { boundingChat } from '../../src/operations/choices/bounding.ts'
import { boundingResponse } from '../../src/operations/responses/bounding.ts'

/** A long text as it is in an outline: its length in place of it. */
const long = (length: number) => `\0${length}`
const text = { type: 'text', text: long(5_000) }
const ask = (...content: object[]) => ({ messages: [{ role: 'user', content: [text, ...content] }] })
const seen = (name: string) => ({ type: 'image_url', image_url: { url: name } })

it.each([
  ['a chat', boundingChat, ask(seen(long(2_000)), seen('https://a.b/c'), seen('data:image/png;base64,AAAA')), 3, 2_026],
  [
    'a response',
    boundingResponse,
    { input: [{ role: 'user', content: [{ type: 'input_image', image_url: long(2_000) }, text] }] },
    ...[1, 2_000],
  ],
  [
    'a message of Anthropic’s',
    boundingMessage,
    ask({ type: 'image', source: { type: 'base64', data: 'AAAA' } }, { type: 'document', source: { data: long(900) } }),
    ...[1, 4],
  ],
  [
    'contents of Gemini’s',
    boundingContent,
    {
      contents: [
        {
          parts: [
            { inline_data: { mime_type: 'image/png', data: long(3_000) } },
            { inlineData: { mimeType: 'audio/wav', data: long(4_000) } },
            { fileData: { mimeType: 'image/jpeg', fileUri: 'https://a.b/c' } },
          ],
        },
      ],
    },
    ...[2, 3_000],
  ],
  ['a chat of Ollama’s', boundingOllama, { messages: [{ images: ['AAAA', long(1_000)] }] }, 2, 1_004],
] as const)(
  'in %s pictures are told from all else, with what of them is data',
  (_, bounding, asked, count, characters) => {
    expect(bounding.pictures?.(asked as never)).toEqual({ count, characters })
  },
)

const screen = { type: 'input_image', image_url: 'https://a.b/c' }
const image = { type: 'image', source: { type: 'url', url: 'https://a.b/c' } }

it.each([
  [
    'a response',
    boundingResponse,
    {
      input: [
        { type: 'function_call_output', output: [screen, screen] },
        { type: 'image_generation_call', id: 'ig_1' },
      ],
    },
    ...[3, 3],
  ],
  [
    'a message of Anthropic’s',
    boundingMessage,
    ask({ type: 'document', source: { type: 'content', content: [image, text, image] } }, image),
    ...[4, 3],
  ],
  [
    'contents of Gemini’s',
    boundingContent,
    {
      contents: [
        { parts: [{ functionResponse: { parts: [{ inlineData: { mimeType: 'image/png', data: 'AAAA' } }] } }] },
        { parts: [{ inlineData: { mimeType: 'application/pdf', data: 'AAAA' } }] },
      ],
    },
    ...[2, 1],
  ],
] as const)('in %s what is inside of something else counts as well', (_, bounding, asked, media, pictures) => {
  expect(bounding.media?.(asked as never)).toBe(media)
  expect(bounding.pictures?.(asked as never).count).toBe(pictures)
})

it.each([
  [
    'a message of Anthropic’s',
    boundingMessage,
    ask({ type: 'tool_use', input: { image: { type: 'image', source: { data: long(900) } } } }),
  ],
  [
    'contents of Gemini’s',
    boundingContent,
    { contents: [{ parts: [{ functionCall: { args: { inlineData: { mimeType: 'image/png', data: long(900) } } } }] }] },
  ],
] as const)('in %s the arguments of a tool are words, however much they look like a picture', (_, bounding, asked) => {
  expect(bounding.pictures?.(asked as never)).toEqual({ count: 0, characters: 0 })
})
