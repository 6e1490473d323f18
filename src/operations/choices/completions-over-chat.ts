import { once } from '../../core/late.ts'
import type { OperationSpec } from '../../core/provider.ts'

/** Serves legacy completions with an upstream that only supports chat: the prompt becomes a user message. */
export function completionsOver(chat: OperationSpec): OperationSpec {
  return {
    path: chat.path,
    ...(chat.streamPath !== undefined && { streamPath: chat.streamPath }),
    ...(chat.remedied !== undefined && { remedied: chat.remedied }),
    ...(chat.streamType !== undefined && { streamType: chat.streamType }),
    lacks: [...(chat.lacks ?? []), 'echo', 'suffix', 'raw', 'logprobs', 'best_of'],
    load: once(async () => {
      const [{ completionsWire }, wire] = await Promise.all([import('./completions-wire.ts'), chat.load?.()])
      return completionsWire({ ...chat, ...wire })
    }),
  }
}
