import { bearer, defineProvider, type ProviderSettings, type Remedy } from '../src/core/provider.ts'
import { completionsOver } from '../src/operations/choices/completions-over-chat.ts'
import { openaiOperations } from '../src/operations/index.ts'
import { type GatewayError, unknownModel } from '../src/wire/errors.ts'
import { responsesBy, responsesSetting } from './responses.ts'

/** OpenAI, or Azure OpenAI if `apiVersion` is set, with https://{resource}.openai.azure.com as `baseURL`. */
export default defineProvider({
  type: 'openai',
  title: 'OpenAI',
  baseURL: 'https://api.openai.com/v1',
  env: { apiKey: 'OPENAI_API_KEY', baseURL: 'OPENAI_BASE_URL' },
  settings: { organization: 'text', project: 'text', apiVersion: 'text', responses: responsesSetting },
  answers: [
    'gpt-*',
    'chatgpt-*',
    'o1*',
    'o3*',
    'o4*',
    'davinci-*',
    'babbage-*',
    'text-embedding-*',
    'text-moderation-*',
    'omni-moderation-*',
    'dall-e-*',
    'tts-*',
    'whisper-*',
  ],
  operations: ({ options }) => ({
    ...openaiOperations,
    ...responsesBy(options.responses, 'native'),
    ...(options.apiVersion && { realtime: { ...openaiOperations.realtime, modelIn: 'deployment' } }),
    // Chat models reject the legacy route, although its users only want a text.
    completions: { ...openaiOperations.completions, otherwise: completionsOver(openaiOperations.chat) },
  }),
  headers: (settings) => {
    const { organization, project, apiVersion } = settings.options
    return {
      ...(apiVersion ? { 'api-key': settings.apiKey ?? '' } : bearer(settings)),
      ...(organization && { 'openai-organization': organization }),
      ...(project && { 'openai-project': project }),
    }
  },
  url: ({ baseURL, options }, path, model) =>
    options.apiVersion
      ? `${baseURL}/openai${isForAll(path) ? '' : `/deployments/${segment(model)}`}${path}?api-version=${encodeURIComponent(options.apiVersion)}`
      : baseURL + path,
  passes: ({ baseURL, options }, path) => {
    if (!options.apiVersion) return baseURL + path
    return `${baseURL}/openai${path}${path.includes('?') ? '&' : '?'}api-version=${encodeURIComponent(options.apiVersion)}`
  },
  errors: [{ status: 404, match: /DeploymentNotFound/, kind: 'not_found' }],
  keepsFormat: isOwnServer,
  endsStreams: isOwnServer,
  heal: healParameter,
})

/** Azure's paths that don't name the deployment. */
function isForAll(path: string): boolean {
  const { realtime, responses } = openaiOperations
  return path === '/models' || path === responses.path || path.startsWith(realtime.path)
}

/** Only OpenAI's and Azure's own servers, not other addresses in `baseURL`. */
function isOwnServer({ baseURL }: ProviderSettings): boolean {
  return /^https:\/\/(api\.openai\.com|[\w-]+\.openai\.azure\.com)(\/|$)/.test(baseURL)
}

/** Reasoning models fixed some parameters. The error's `code` and `param` say which, so we need no list. */
function healParameter({ code, param, message }: GatewayError): Remedy | undefined {
  if (param === null || param === 'model' || param === 'messages') return undefined
  // "Only the default (1) value is supported": dropping the parameter has the same effect and works.
  return code === 'unsupported_value' && /only the default/i.test(message) ? { drop: [param] } : undefined
}

/** A deployment's name as a path segment. URL parsers resolve `.` and `..` as parent paths, even if encoded. */
function segment(deployment: string): string {
  if (deployment === '.' || deployment === '..') throw unknownModel(deployment, 'not_found')
  return encodeURIComponent(deployment.toWellFormed())
}
