import { describe } from '../../wire/body.ts'
import { isObject } from '../../wire/json.ts'
import { Draft } from '../draft.ts'
import type { Imported } from '../imported.ts'
import { Item, Notes, settled } from '../notes.ts'
import type { Platforms } from '../platform.ts'
import { ImportError, type Source } from '../source.ts'
import { addDeployment } from './deployment.ts'
import { readGeneral, readSettings } from './settings.ts'
import { shareByRate } from './shares.ts'

/** https://docs.litellm.ai/docs/proxy/configs */
export function importLitellm(source: Source, platforms: Platforms): Imported {
  if (!isObject(source.value)) {
    throw new ImportError(`line 1: found ${describe(source.value)}; allowed: an object with "model_list"`)
  }
  const notes = new Notes()
  const draft = new Draft(notes)
  const root = new Item(source.value, [], notes)
  for (const path of source.twice)
    notes.lost(path, 'there is another key of this name in the same object, which counts')
  readVariables(root, draft)
  readModels(root, draft, platforms)
  const router = root.object('router_settings')
  const settings = root.object('litellm_settings')
  shareByRate(root, router, draft)
  readSettings(router, settings, draft)
  setShadows(draft, notes)
  readGeneral(root.object('general_settings'), draft)
  for (const { path } of root.list('include')) notes.lost(path, 'a file of its own: import it too')
  root.lose(lostSections)
  root.loseRest('no section that is known here')
  return { configuration: draft.build(), notes: settled(notes.list), variables: draft.variables }
}

const lostSections: Readonly<Record<string, string>> = {
  guardrails: 'there are no guardrails',
  policies: 'there are no guardrails',
  policy_attachments: 'there are no guardrails',
  mcp_servers: 'there is no gateway for MCP servers',
  search_tools: 'there are no search tools',
  vector_store_registry: 'there are no vector stores of the gateway; see passThrough',
  prompts: 'there are no stored prompts',
  files_settings: 'files go to a provider: see passThrough',
  finetune_settings: 'fine-tuning goes to a provider: see passThrough',
  callback_settings: 'there are no callbacks',
}

function readVariables(root: Item, draft: Draft): void {
  const variables = root.object('environment_variables')
  for (const key of variables.unread()) {
    variables.raw(key)
    draft.variables.add(key)
    variables.notes.changed(variables.at(key), 'set it in the environment, or in a file .env; its value is not copied')
  }
}

function readModels(root: Item, draft: Draft, platforms: Platforms): void {
  const credentials = credentialsOf(root)
  const defaults = (root.fields.router_settings as { default_litellm_params?: unknown } | undefined)
    ?.default_litellm_params
  for (const { value, path } of root.list('model_list')) {
    const entry = new Item(value, path, root.notes)
    const given = entry.text('model_name')
    const own = entry.raw('litellm_params')
    if (given === undefined || !isObject(own)) {
      if (isObject(value))
        root.notes.lost(path, `it lacks ${given === undefined ? 'model_name' : 'litellm_params'}: left out`)
      continue
    }
    root.notes.carried(entry.at('model_name'))
    const credential = credentials.get(String(own.litellm_credential_name))
    const all = { ...(isObject(defaults) && defaults), ...credential, ...own }
    const params = new Item(all, entry.at('litellm_params'), root.notes)
    if (params.has('litellm_credential_name')) {
      const name = params.raw('litellm_credential_name')
      if (credential) root.notes.carried(params.at('litellm_credential_name'))
      else
        root.notes.lost(
          params.at('litellm_credential_name'),
          `no such entry in credential_list${name ? '' : ' at all'}`,
        )
    }
    if (params.fields.model === '*' && !params.has('api_base')) addFamilies(given, entry, params, draft, platforms)
    else addDeployment(given, entry, params, draft, platforms)
  }
}

/** LiteLLM takes any model for `*` whose maker it knows by the name. Here each family of names gets its provider. */
function addFamilies(name: string, entry: Item, params: Item, draft: Draft, platforms: Platforms): void {
  const { notes } = entry
  if (name !== '*') {
    notes.lost(entry.path, 'a * that stands for a whole name needs "*" as model_name: the deployment is left out')
    return
  }
  for (const { families = [], names } of platforms.all) {
    for (const family of families) {
      const item = new Item({ ...params.fields, model: `${names[0]}/${family}` }, params.path, new Notes())
      addDeployment(family, new Item(entry.value, entry.path, new Notes()), item, draft, platforms)
    }
  }
  for (const key of params.unread()) {
    params.raw(key)
    notes.changed(params.at(key), 'for the families of names that providers here answer to; others are provider/model')
  }
  entry.loseRest('no setting of a deployment; litellm_params has those')
}

/** When all models and aliases are known. */
function setShadows(draft: Draft, notes: Notes): void {
  for (const { of, to, from } of draft.shadows) {
    const at = () => ['models', of]
    const model = draft.models.get(of)
    if (!model || to.includes('*') || !draft.serves(to)) notes.lost(from, 'it is no model that is carried', at)
    else {
      Object.assign(model.fields, { shadow: { model: to, percent: 100 } })
      notes.changed(from, 'a copy of each request of the model, by shadow', at)
    }
  }
}

function credentialsOf(root: Item): Map<string, Record<string, unknown>> {
  const found = new Map<string, Record<string, unknown>>()
  for (const { value, path } of root.list('credential_list')) {
    const item = new Item(value, path, root.notes)
    const name = item.text('credential_name')
    const values = item.raw('credential_values')
    if (name === undefined || !isObject(values)) root.notes.lost(path, 'it lacks credential_name or credential_values')
    else {
      found.set(name, values)
      root.notes.carried(path, 'with the deployments that name it')
    }
  }
  return found
}
