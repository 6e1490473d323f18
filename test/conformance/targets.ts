import type { Environment } from '../../src/config/providers.ts'
import type { ProviderConfig } from '../../src/config/schema.ts'
import type { ProviderDefinition } from '../../src/core/provider.ts'
import { made, type Subject, subjects } from '../contract/subjects.ts'
import { anthropicName } from '../support/anthropic-recordings.ts'
import { type Delivery, exchangePath, type MadeUp } from '../support/exchange.ts'
import { geminiName } from '../support/gemini-recordings.ts'

/** A provider as it is configured, in front of a server: the rows of the table. */
export interface Target {
  readonly name: string
  readonly model: string
  /** Absent: it answers in the process. */
  readonly subject?: Subject
  /** `recorded` servers and the `embedded` model carry one that reads no images. */
  readonly server: 'recorded' | 'scripted' | 'embedded' | 'live'
  /** The configuration with which the upstream answers so. */
  provider(upstream: string | MadeUp): ProviderConfig
  /** The same, and how to see the last body that the upstream got; absent where it can't be seen. */
  watch?(upstream: string | MadeUp): Watch
  /** What has to be declared of the model, because the server doesn't say it. */
  readonly supports?: Supports
  /** How the server says that it lacks a model, and that a prompt is too long. */
  readonly missing: string | MadeUp
  readonly overflow: string | MadeUp
}

export interface Watch {
  readonly provider: ProviderConfig
  seen(): Promise<string>
}

type Supports = { readonly vision: boolean }

/** Addresses of the servers that stand for upstreams. */
export interface Servers {
  readonly recorded: string
  readonly scripted: string
}

export const upstreamKey = { CONFORMANCE_KEY: 'sk-conformance' }
const apiKey = 'env:CONFORMANCE_KEY'

/** Made by a documentation. */
const documented: ReadonlySet<string> = new Set([anthropicName, geminiName])

/** Every type of provider: before each server that it was recorded with, or else before a scripted one; and live ones. */
export function targetsOf(
  registry: Readonly<Record<string, ProviderDefinition>>,
  servers: Servers,
  env: Environment,
): readonly Target[] {
  return [
    ...Object.keys(registry).flatMap((type) => {
      // What was made by a documentation has no more than chats.
      const recorded = subjects.filter(
        ({ provider, recordings }) => provider.type === type && !documented.has(recordings.name),
      )
      // OpenAI itself can't be recorded here, and llama-server is no likeness of it.
      if (recorded.length === 0 || type === 'openai') return [scriptedTarget(type, servers)]
      const targets = recorded.map((subject) => recordedTarget(subject, servers))
      // Of its media nothing is recorded.
      return type === 'huggingface' ? [...targets, scriptedTarget(type, servers)] : targets
    }),
    ...liveTargets(env),
  ]
}

const notFound = made(404, {
  error: { message: 'The model does not exist', type: 'invalid_request_error', param: null, code: 'model_not_found' },
})
const tooLong = made(400, {
  error: {
    message: "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.",
    type: 'invalid_request_error',
    param: 'messages',
    code: 'context_length_exceeded',
  },
})

function scriptedTarget(type: string, { scripted, recorded }: Servers): Target {
  return {
    name: `${type}, scripted`,
    model: 'scripted',
    server: 'scripted',
    missing: notFound,
    overflow: tooLong,
    provider(upstream) {
      const url = typeof upstream === 'string' ? scripted : `${recorded}${exchangePath({ answer: upstream })}`
      return { type, apiKey, baseURL: `${url}/v1`, ...(type === 'huggingface' && { hubUrl: scripted }) }
    },
  }
}

function recordedTarget(subject: Subject, { recorded }: Servers): Target {
  const { name, model, provider, address, recordings, overflow, missing } = subject
  function before(upstream: string | MadeUp, delivery: Delivery = {}): ProviderConfig {
    if (!address) return provider
    const answer = typeof upstream === 'string' ? answerOf(subject, upstream) : upstream
    const exchange = exchangePath({
      answer: typeof answer === 'string' ? [recordings.name, answer] : answer,
      delivery,
    })
    return { ...provider, apiKey, ...address(`${recorded}${exchange}`) }
  }
  return {
    name,
    model,
    subject,
    server: address ? 'recorded' : 'embedded',
    missing: missing[0]?.answer ?? notFound,
    overflow,
    // It answers as if there were no image.
    ...(recordings.name.startsWith('transformers') && { supports: { vision: false } }),
    provider: (upstream) => before(upstream),
    ...(address && {
      watch(upstream) {
        const tag = name.replaceAll(/\W+/g, '-')
        return { provider: before(upstream, { tag }), seen: () => lastSeen(recorded, tag) }
      },
    }),
  }
}

async function lastSeen(recorded: string, tag: string): Promise<string> {
  const response = await fetch(`${recorded}/seen/${tag}`)
  const seen = (await response.json()) as readonly { readonly body: string }[]
  return seen.at(-1)?.body ?? ''
}

/** The recorded exchange that the request of a label led to; a server that was not asked it fails. */
function answerOf({ chats, recordings }: Subject, label: string): string | MadeUp {
  const [, base = label, stream = ''] = /^(.*?)(_stream)?$/.exec(label) ?? []
  const found = `${chats[base] ?? base}${stream}`
  const isRecorded = recordings.cases.some((entry) => entry.label === found)
  // Routes of which there is no recording are routes that the server has not.
  if (!isRecorded && found === 'err_404') return made(404, { error: '404 page not found' })
  return isRecorded ? found : made(500, { error: { message: `${found} was not recorded` } })
}

/** Real servers whose variable is set, as for the live tests. */
function liveTargets(env: Environment): readonly Target[] {
  const lives: readonly [variable: string, provider: ProviderConfig, model: string | undefined][] = [
    ['OPENAI_API_KEY', { type: 'openai' }, env.LIVE_OPENAI_MODEL ?? 'gpt-4o-mini'],
    ['HF_TOKEN', { type: 'huggingface' }, env.LIVE_HF_MODEL ?? 'openai/gpt-oss-20b'],
    ['OLLAMA_HOST', { type: 'ollama' }, env.LIVE_OLLAMA_MODEL],
    [
      'LIVE_BASE_URL',
      {
        type: 'openai-compatible',
        baseURL: 'env:LIVE_BASE_URL',
        ...(env.LIVE_API_KEY && { apiKey: 'env:LIVE_API_KEY' }),
      },
      env.LIVE_MODEL,
    ],
  ]
  return lives.flatMap(([variable, provider, model]) =>
    env[variable] && model
      ? [
          {
            name: `${provider.type}, live`,
            model,
            server: 'live' as const,
            missing: '',
            overflow: '',
            provider: () => provider,
          },
        ]
      : [],
  )
}
