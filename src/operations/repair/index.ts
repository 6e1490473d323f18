import type { Wire } from '../../core/provider.ts'
import type { Repair } from '../../core/repair.ts'
import type { Emit, Stage } from '../../core/stream.ts'
import type { WireContext } from '../../core/wire-context.ts'
import { isObject } from '../../wire/json.ts'
import { EventReader, frame, parseEvent, type ServerEvent } from '../../wire/sse.ts'
import { toldError } from '../../wire/told-error.ts'
import { completeAnswer, mendAnswer } from './answer.ts'
import { ChoicesMender } from './stream.ts'
import { ChunkTexts, withTextsRead } from './texts.ts'

/** The repair of operations whose answers have choices. */
export const choicesRepair: Repair = {
  answer: mendAnswer,
  stream: (context) => new ChoicesMender(context),
}

/** The same for chat, whose models may write their reasoning and their calls into the text. */
export const chatRepair: Repair = {
  answer: (answer, context) => mendAnswer(withTextsRead(answer, context), context),
  stream: (context) => new ChoicesMender(context, { texts: context.texts && new ChunkTexts(context) }),
}

/** The format of a server whose answers are repaired before anything else reads them. */
export function repairedWire({ encode, decode }: Wire): Wire {
  return {
    ...(encode && { encode }),
    decode: (answer, context) => completeAnswer(decode?.(answer, context) ?? answer, context),
    stream: repairStream,
  }
}

/** Repairs a stream, and leaves out its `[DONE]`, which is added where the end is checked. */
export function repairStream(context: WireContext): Stage {
  const reader = new EventReader()
  const mender = new ChoicesMender(context, { thorough: true })
  const pass = (events: readonly ServerEvent[], emit: Emit) => {
    for (const event of events) {
      if (event.data.trim() === '[DONE]') continue
      const chunk = parseEvent(event.data)
      if (isObject(chunk) && toldError(chunk) !== undefined) {
        const { error } = chunk
        const said = isObject(error) ? error : { message: String(error) }
        // What stands elsewhere is left to those who read failures.
        emit(frame(error ? { error: { type: 'server_error', param: null, code: null, ...said } } : chunk))
        continue
      }
      const mended = mender.mend(event)
      if (typeof mended !== 'string') mended.forEach(emit)
      else emit(frame(chunk))
    }
  }
  return {
    chunk: (bytes, emit) => pass(reader.read(bytes), emit),
    end(emit) {
      pass(reader.end(), emit)
      mender.end().forEach(emit)
    },
  }
}
