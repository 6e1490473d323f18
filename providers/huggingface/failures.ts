import type { ErrorRule } from '../../src/core/provider.ts'

export const huggingfaceErrors: readonly ErrorRule[] = [
  {
    status: 400,
    match: /not supported by any provider you have enabled/i,
    kind: 'no_live_provider',
    say: (model) =>
      `No inference provider enabled on the gateway's Hugging Face account serves \`${model}\`. Enable one that does ` +
      'at https://huggingface.co/settings/inference-providers, or check the name.',
  },
  {
    status: 400,
    match: /model not supported by provider/i,
    kind: 'no_live_provider',
    say: (model) =>
      `The inference provider named in \`${model}\` does not serve this model. Leave the suffix out, or name another.`,
  },
  {
    status: 400,
    match: /endpoint is paused/i,
    kind: 'no_live_provider',
    say: (model) => `The Inference Endpoint of \`${model}\` is paused: restart it on Hugging Face.`,
  },
  { status: 402, kind: 'quota' },
  { status: 410, kind: 'retired' },
  // TGI's messages for a prompt that is too long, by itself or together with `max_tokens`.
  { status: 422, match: /inputs.{0,40}must (have less than|be <=) \d+/i, kind: 'context_length' },
  { status: 503, match: /loading|temporarily unavailable/i, kind: 'loading' },
  { match: /overloaded/i, kind: 'overloaded' },
]

/** `transformers serve` has one plain-text 500 for all errors, most often for a model that it can't find. */
export const transformersErrors: readonly ErrorRule[] = [
  { status: 400, match: /server is pinned to/i, kind: 'not_found' },
  { status: 500, match: /^\s*internal server error\s*$/i, kind: 'not_found' },
]
