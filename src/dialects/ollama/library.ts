import type { Gateway } from '../../gateway.ts'
import { invalid } from '../../wire/body.ts'
import { unknownModel } from '../../wire/errors.ts'
import { type JsonObject, objectAt } from '../../wire/json.ts'
import type { ListedModel } from '../../wire/listed-model.ts'
import type { LookUp, LookUpRoute } from '../dialect.ts'
import { capabilitiesOf, infoOf } from './abilities.ts'
import { detailsInName, familyOf } from './details.ts'
import { refuse } from './words.ts'

/** The version whose answers these are like. VS Code asks for 0.6.4 at least: microsoft/vscode-copilot-chat. */
const version = '0.32.15'

/** The models that clients can name, as if they were here. */
export const libraryRoutes: readonly LookUpRoute[] = [
  { method: 'GET', path: '/api/tags', look: tags, refuse },
  { method: 'GET', path: '/api/ps', look: running, refuse },
  { method: 'GET', path: '/api/version', look: async () => ({ version }), refuse },
  { method: 'POST', path: '/api/show', anyType: true, look: show, refuse },
]

async function tags(gateway: Gateway): Promise<JsonObject> {
  const models = await gateway.models()
  return {
    models: await Promise.all(
      models.map(async (model) => ({
        ...(await entryOf(model)),
        modified_at: modifiedAt(model),
        capabilities: capabilitiesOf(model),
      })),
    ),
  }
}

/** Until when a model stays: the time that Ollama tells for one that always does. */
const always = '2318-03-08T00:00:00Z'

/** No model has to be loaded first. */
async function running(gateway: Gateway): Promise<JsonObject> {
  const models = await gateway.models()
  return {
    models: await Promise.all(
      models.map(async (model) => ({
        ...(await entryOf(model)),
        expires_at: always,
        size_vram: 0,
        context_length: windowOf(model),
      })),
    ),
  }
}

async function show(gateway: Gateway, { body }: LookUp): Promise<JsonObject> {
  const name = [body.model, body.name].find((given) => typeof given === 'string' && given !== '')
  if (typeof name !== 'string') throw invalid('model is required')
  const model = await gateway.model(name)
  if (!model) throw unknownModel(name)
  return {
    modelfile: `FROM ${taggedName(model.id)}\n`,
    parameters: '',
    template: '',
    details: detailsOf(model),
    model_info: infoOf(model),
    capabilities: capabilitiesOf(model),
    modified_at: modifiedAt(model),
  }
}

/** Each name has a tag: clients that find none in a name add `latest`, and look for that here. */
function taggedName(id: string): string {
  return id.slice(id.lastIndexOf('/') + 1).includes(':') ? id : `${id}:latest`
}

async function entryOf(model: ListedModel): Promise<JsonObject> {
  const name = taggedName(model.id)
  return { name, model: name, size: 0, digest: await digestOf(model), details: detailsOf(model) }
}

/** Some clients tell models apart by it, and show its first half. */
async function digestOf({ id, created }: ListedModel): Promise<string> {
  const bytes = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(`${id} ${created}`))
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

function modifiedAt({ created }: ListedModel): string {
  return new Date(created * 1000).toISOString()
}

/** As real Ollama, which has empty texts for models that run elsewhere. */
function detailsOf(model: ListedModel): JsonObject {
  const family = familyOf(model)
  return {
    ...{ parent_model: '', format: '', family, families: [family], parameter_size: '', quantization_level: '' },
    ...detailsInName(model.root ?? model.id),
    ...objectAt(model, 'details'),
    ...(windowOf(model) > 0 && { context_length: windowOf(model) }),
  }
}

function windowOf({ context_length: length }: ListedModel): number {
  return typeof length === 'number' ? length : 0
}
