import llamaServer from '../fixtures/llama-server-0.7.0.json' with { type: 'json' }

/**
 * What the recorded llama-server said, as Gemini would say it by its documentation, since no key is at hand to record it
 * with: https://ai.google.dev/api/generate-content. Imports no Node, because tests in workerd need it too.
 */
export const geminiName = 'gemini-documented'

interface Message {
  readonly content?: string | null
  readonly reasoning_content?: string
  readonly tool_calls?: readonly { index?: number; id?: string; function?: { name?: string; arguments?: string } }[]
}

interface Choice {
  readonly text?: string
  readonly message?: Message
  readonly delta?: Message
  readonly finish_reason?: string | null
  readonly logprobs?: { readonly content: readonly Token[] } | null
}

interface Token {
  readonly token: string
  readonly logprob: number
  readonly top_logprobs?: readonly Token[]
}

interface Answer {
  readonly choices: readonly Choice[]
  readonly usage?: { readonly prompt_tokens: number; readonly completion_tokens: number; readonly total_tokens: number }
}

type Part = Readonly<Record<string, unknown>>

const head = { modelVersion: 'tiny-chat', responseId: 'gemini-response-1' }

export const geminiCases = llamaServer.cases
  .filter(({ label, response }) => /^(chat|completions)/.test(label) && response.status === 200)
  .map((recorded) => ({
    ...recorded,
    response: { status: 200, headers: headersOf(recorded.label), body: bodyOf(recorded.response.body) },
  }))

function headersOf(label: string): Record<string, string> {
  return { 'content-type': label.includes('_stream') ? 'text/event-stream' : 'application/json; charset=UTF-8' }
}

function bodyOf(body: string): string {
  if (!body.startsWith('data: ')) return JSON.stringify(whole(JSON.parse(body) as Answer))
  const lines = body.split('\n').filter((line) => line.startsWith('data: {'))
  return eventsOf(lines.map((line) => JSON.parse(line.slice('data: '.length)) as Answer))
}

function whole({ choices, usage }: Answer): object {
  const [choice = {}] = choices
  const { message } = choice
  const parts = [...thoughtOf(message), ...textOf(choice.text ?? message?.content), ...callsOf(message?.tool_calls)]
  return { candidates: [candidate(parts, choice)], ...countOf(usage), ...head }
}

/** Gemini sends a call in one piece, and the reason with the last event. */
function eventsOf(chunks: readonly Answer[]): string {
  const all = chunks.flatMap(({ choices }) => choices)
  const pieces = all.map((choice) => ({
    choice,
    parts: [...thoughtOf(choice.delta), ...textOf(choice.text ?? choice.delta?.content)],
  }))
  const calls: { id?: string; function: { name?: string; arguments: string } }[] = []
  for (const { index = 0, id, function: called } of all.flatMap(({ delta }) => delta?.tool_calls ?? [])) {
    const known = calls[index]
    const given = known?.function.arguments ?? ''
    calls[index] = {
      ...known,
      ...(id && { id }),
      function: { ...known?.function, ...called, arguments: given + (called?.arguments ?? '') },
    }
  }
  const usage = chunks.find((chunk) => chunk.usage)?.usage
  const reason = all.find(({ finish_reason }) => finish_reason)?.finish_reason ?? 'stop'
  const events = [
    ...pieces
      .filter(({ parts }) => parts.length > 0)
      .map(({ parts, choice }) => candidate(parts, { ...choice, finish_reason: null })),
    ...callsOf(calls).map((part) => candidate([part], {})),
    candidate([{ text: '' }], { finish_reason: reason }),
  ]
  return events.map((one) => `data: ${JSON.stringify({ candidates: [one], ...countOf(usage), ...head })}\n\n`).join('')
}

function candidate(parts: readonly Part[], { finish_reason: reason, logprobs }: Choice): object {
  return {
    content: { parts, role: 'model' },
    ...(reason && { finishReason: reason === 'length' ? 'MAX_TOKENS' : 'STOP' }),
    index: 0,
    ...(logprobs && {
      logprobsResult: {
        chosenCandidates: logprobs.content.map(tokenOf),
        topCandidates: logprobs.content.map((token) => ({ candidates: (token.top_logprobs ?? []).map(tokenOf) })),
      },
    }),
  }
}

function tokenOf({ token, logprob }: Token): object {
  return { token, logProbability: logprob }
}

function thoughtOf(message: Message | undefined): Part[] {
  return message?.reasoning_content ? [{ text: message.reasoning_content, thought: true }] : []
}

function textOf(text: string | null | undefined): Part[] {
  return text ? [{ text }] : []
}

/** Of the calls of one step, the first has the signature. */
function callsOf(calls: Message['tool_calls'] = []): Part[] {
  return calls.map(({ function: called }, at) => ({
    functionCall: { name: called?.name, args: JSON.parse(called?.arguments || '{}') as object },
    ...(at === 0 && { thoughtSignature: 'c2lnbmF0dXJl' }),
  }))
}

function countOf(usage: Answer['usage']): object {
  if (!usage) return {}
  const { prompt_tokens: prompt, completion_tokens: completion, total_tokens: total } = usage
  return { usageMetadata: { promptTokenCount: prompt, candidatesTokenCount: completion, totalTokenCount: total } }
}
