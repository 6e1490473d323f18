import type { Wire } from '../../src/core/provider.ts'
import { messageAnswer } from './answer.ts'
import { messagesRequest } from './request.ts'
import { messageStream } from './stream.ts'

export const chatWire: Wire = { encode: messagesRequest, decode: messageAnswer, stream: messageStream }
