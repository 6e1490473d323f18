import type { Wire } from '../../src/core/provider.ts'
import { chatAnswer } from './answer.ts'
import { generateRequest } from './request.ts'
import { chatStream } from './stream.ts'

export const chatWire: Wire = { encode: generateRequest, decode: chatAnswer, stream: chatStream }
