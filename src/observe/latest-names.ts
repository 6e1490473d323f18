import type { Environment } from '../config/secrets.ts'

/**
 * Whether the names are to be those of the newest conventions for generative AI: nobody's change unless they ask for it.
 * https://opentelemetry.io/docs/specs/semconv/gen-ai
 */
export function wantsLatestNames({ OTEL_SEMCONV_STABILITY_OPT_IN: words = '' }: Environment): boolean {
  return words.split(',').some((word) => word.trim() === 'gen_ai_latest_experimental')
}
