import { late } from '../../src/core/late.ts'
import type { OperationSpecs } from '../../src/core/provider.ts'

/**
 * Images and audio, for which the router has no OpenAI routes: by Hugging Face's own servers (`hf-inference`) and by the
 * inference providers behind the router, each in its own format.
 *
 * Not by `@huggingface/inference`, the official client: it is larger than all of the gateway (101 kB of gzip), fetches
 * results and waits for queues by the global `fetch`, without limits and past the gateway's transport, keeps what it looks
 * up for ever and for all tokens, and puts the whole request into its errors. The tests hold what is sent against it.
 */
export const media: OperationSpecs = {
  images: {
    path: '',
    atOnce: { choices: 1 },
    serve: late(async () => (await import('./media/images.ts')).images),
  },
  speech: { path: '', serve: late(async () => (await import('./media/speech.ts')).speech) },
  transcriptions: {
    path: '',
    serve: late(async () => (await import('./media/transcriptions.ts')).transcriptions),
  },
}
