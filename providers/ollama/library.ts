import type { ModelResponse, Ollama, ProgressResponse } from 'ollama/browser'
import { bearer, type KnownModel, type ProviderSettings, type SlowPath } from '../../src/core/provider.ts'
import { readSaid } from '../../src/core/said.ts'
import { secretsOf } from '../../src/core/secrets.ts'
import { GatewayError } from '../../src/wire/errors.ts'
import { isObject } from '../../src/wire/json.ts'
import { type ModelFacts, weightsOf } from '../../src/wire/model-facts.ts'
import { ollamaURL } from './address.ts'

/** How many models are asked for their capabilities: each costs a request, and a library may hold hundreds. */
const shownModels = 20
const shownAtOnce = 4
/** What was told of the models of a server, by name and weights. */
const shownBefore = new WeakMap<ProviderSettings, Map<string, ModelFacts>>()

/** Minimum milliseconds between two progress messages of a slow pull. */
const progressInterval = 5_000

/**
 * The server's models, with details from `/api/show`, since `/api/tags` gives too few. They are asked for a few at a time,
 * only once for the same weights. What isn't told before the signal is for the next list.
 */
export async function listLibrary(settings: ProviderSettings, tools: SlowPath): Promise<KnownModel[]> {
  const ollama = await client(settings, tools)
  const { models } = await ollama.list()
  const facts = shownBefore.get(settings) ?? new Map<string, ModelFacts>()
  shownBefore.set(settings, facts)
  const current = new Set(models.map(keyOf))
  for (const key of facts.keys()) if (!current.has(key)) facts.delete(key)
  const missing = models.filter((model) => !facts.has(keyOf(model))).slice(0, shownModels)
  await Promise.all(
    Array.from({ length: shownAtOnce }, async () => {
      for (let model = missing.shift(); model; model = missing.shift()) {
        if (tools.signal.aborted) return
        const details = await shown(ollama, nameOf(model)).catch(() => undefined)
        if (details) facts.set(keyOf(model), details)
      }
    }),
  )
  return models.map((model) => ({ ...listed(model), ...facts.get(keyOf(model)) }))
}

/** A name that is pulled again may get other weights. Servers that imitate Ollama may have no digests. */
function keyOf(model: ModelResponse): string {
  return `${nameOf(model)} ${model.digest ?? model.modified_at ?? ''}`
}

/** Old versions, and servers that imitate them, have only `name`. */
function nameOf({ model, name }: ModelResponse): string {
  return model || name
}

function listed(response: ModelResponse): KnownModel {
  const { modified_at, details } = response
  // A Date in the client's types, but a string on the wire.
  const modified = Date.parse(String(modified_at))
  const contextWindow: unknown = Reflect.get(details ?? {}, 'context_length')
  return {
    id: nameOf(response),
    ownedBy: 'library',
    ...(!Number.isNaN(modified) && { created: Math.floor(modified / 1000) }),
    ...(typeof contextWindow === 'number' && { contextWindow }),
    ...weightsOf({
      format: details?.format,
      family: details?.family,
      size: details?.parameter_size,
      quantization: details?.quantization_level,
    }),
  }
}

async function shown(ollama: Ollama, model: string): Promise<ModelFacts> {
  const { capabilities, model_info } = await ollama.show({ model })
  const facts: unknown = model_info
  // `llama.context_length`: the prefix is the architecture's name.
  const context = isObject(facts) ? Object.entries(facts).find(([name]) => name.endsWith('.context_length'))?.[1] : 0
  return {
    ...(typeof context === 'number' && context > 0 && { contextWindow: context }),
    ...(Array.isArray(capabilities) && abilitiesIn(capabilities)),
  }
}

/** https://github.com/ollama/ollama/blob/main/types/model/capability.go */
function abilitiesIn(capabilities: readonly string[]): ModelFacts {
  const has = (capability: string) => capabilities.includes(capability)
  const embeds = has('embedding') && !has('completion')
  return {
    supports: { tools: has('tools'), vision: has('vision'), audio: has('audio') },
    reasons: has('thinking'),
    inputs: ['text', ...(has('vision') ? ['image'] : []), ...(has('audio') ? ['audio'] : [])],
    outputs: embeds ? ['embeddings'] : has('image') ? ['image'] : ['text'],
  }
}

/** Makes the server pull a model, and logs the progress. Rejects with `not_pulled` and Ollama's message. */
export async function pullModel(model: string, settings: ProviderSettings, tools: SlowPath): Promise<void> {
  const ollama = await client(settings, tools)
  const report = reporter(tools.log)
  try {
    const progress = await ollama.pull({ model, stream: true })
    const stop = () => progress.abort()
    tools.signal.addEventListener('abort', stop, { once: true })
    try {
      for await (const step of progress) {
        tools.progress?.({ ...step })
        report(step)
      }
    } finally {
      tools.signal.removeEventListener('abort', stop)
    }
  } catch (cause) {
    const said = cause instanceof Error ? cause.message : String(cause)
    const why = tools.signal.aborted ? 'it was stopped' : readSaid(said, secretsOf(settings)).message
    throw new GatewayError('not_pulled', `Ollama could not pull the model \`${model}\`: ${why}`, {
      param: 'model',
      cause,
    })
  }
}

/** Logs every ten percent, or every few seconds if that takes long. */
function reporter(log: SlowPath['log']): (step: ProgressResponse) => void {
  const layers = new Map<string, { done: number; size: number }>()
  let said = 0
  let saidAt = Date.now()
  return ({ digest, total, completed = 0 }) => {
    if (!digest || !total) return
    layers.set(digest, { done: completed, size: total })
    const all = [...layers.values()]
    const size = all.reduce((sum, layer) => sum + layer.size, 0)
    const percent = Math.floor((100 * all.reduce((sum, layer) => sum + layer.done, 0)) / size)
    const now = Date.now()
    // A further layer increases the total, so the percentage may drop; count on from there.
    said = Math.min(said, percent)
    if (percent < said + 10 && (percent <= said || now < saidAt + progressInterval)) return
    said = percent
    saidAt = now
    log(`${percent} % of ${readableSize(size)}`)
  }
}

function readableSize(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`
  return `${Math.max(1, Math.round(bytes / 1e6))} MB`
}

/** Imports the client when first needed: no answer waits for it, and a Worker that never lists never loads it. */
async function client(settings: ProviderSettings, tools: SlowPath): Promise<Ollama> {
  const { Ollama } = await import('ollama/browser')
  return new Ollama({
    host: ollamaURL(settings.baseURL),
    headers: { ...bearer(settings), ...settings.headers },
    fetch: (input, init) => fetchFor(tools, input, init),
  })
}

/** The client takes no signal, and loses the message of an error that is not `{"error": "text"}`. */
async function fetchFor(tools: SlowPath, input: RequestInfo | URL, init: RequestInit = {}): Promise<Response> {
  const signal = init.signal ? AbortSignal.any([init.signal, tools.signal]) : tools.signal
  const response = await tools.fetch(input, { ...init, signal })
  if (response.ok) return response
  const { message } = readSaid(await response.text())
  return Response.json({ error: message || `HTTP ${response.status}` }, { status: response.status })
}
