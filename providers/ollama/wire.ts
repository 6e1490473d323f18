import type { Wire } from '../../src/core/provider.ts'
import { chatAnswer, completionAnswer } from './answer.ts'
import { embedAnswer, embedRequest, openaiEmbeddingsRequest } from './embed.ts'
import { chatRequest, generateRequest, openaiChatRequest, openaiCompletionRequest } from './request.ts'
import { chatStream, completionStream, ownStream } from './stream.ts'

export const native = {
  chat: { encode: chatRequest, decode: chatAnswer, stream: chatStream },
  completions: { encode: generateRequest, decode: completionAnswer, stream: completionStream },
  embeddings: { encode: embedRequest, decode: embedAnswer },
  own: { stream: ownStream },
} satisfies Record<string, Wire>

export const openai = {
  chat: { encode: openaiChatRequest },
  completions: { encode: openaiCompletionRequest },
  embeddings: { encode: openaiEmbeddingsRequest },
} satisfies Record<string, Wire>
