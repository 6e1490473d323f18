import type { ErrorRule } from '../../src/core/provider.ts'
import type { GatewayError } from '../../src/wire/errors.ts'

/** The error messages of Ollama, and of the llama-server behind it, which arrive as JSON inside a string. */
export const ollamaErrors: readonly ErrorRule[] = [
  {
    match: /exceed_context_size|exceeds the available context size|(longer than|exceeds) the context length/i,
    kind: 'context_length',
  },
  {
    match: /model ["'][^"']*["'] not found|try pulling it first/i,
    kind: 'not_pulled',
    say: (model) =>
      `The model \`${model}\` does not exist or you do not have access to it: Ollama has not pulled it (\`ollama pull ${model}\`).`,
  },
  { match: /invalid model name/i, kind: 'not_found' },
  { match: /ollama cloud is disabled|remote model is unavailable/i, kind: 'no_live_provider' },
  { match: /does not support \w+|think value .* is not supported/i, kind: 'incapable' },
  {
    match: /image input is not supported|missing data required for image input|image URLs are not currently supported/i,
    kind: 'incapable',
    lacks: 'vision',
  },
  { match: /option "\w+" must be of type/i, kind: 'bad_request' },
  { match: /server busy|requires more system memory/i, kind: 'overloaded' },
  { status: 499, kind: 'upstream' },
  {
    status: 403,
    match: /^\s*$/,
    kind: 'auth',
    say: () =>
      'Ollama refused the Host header (HTTP 403 without a word): bound to loopback it answers to local names only. The tunnel in front of it must rewrite Host to localhost, or OLLAMA_HOST must bind another address.',
  },
]

/** Whether the error is about thinking: the request can be repeated without it. */
export function refusesThinking({ message }: GatewayError): boolean {
  return /does not support thinking|think value .* is not supported/i.test(message)
}

/** Whether the error is about the highest level, which versions before April 2026 don't know: ollama/ollama#15787. */
export function refusesMostThinking({ message }: GatewayError): boolean {
  return /invalid think value: \\?"max\\?"/i.test(message)
}
