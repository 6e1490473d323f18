import type { Placed, Platform } from '../src/import/platform.ts'

/**
 * What other gateways call the services and servers that there is a provider for, or that have an API in OpenAI's
 * format. Names: https://docs.litellm.ai/docs/providers, https://portkey.ai/docs/integrations/llms
 */
export const platforms: readonly Platform[] = [
  {
    names: ['openai', 'text-completion-openai', 'custom_openai', 'openai_like', 'aiohttp_openai', 'oai'],
    type: 'openai',
    channels: [1],
    settings: ['organization', 'project'],
    families: ['gpt*', 'chatgpt-*', 'codex-*', 'o1*', 'o3*', 'o4*', 'davinci-*', 'babbage-*', 'text-davinci-*', 'ft:*']
      .concat(['text-embedding-*', 'text-moderation-*', 'omni-moderation-*'])
      .concat(['dall-e-*', 'sora-*', 'tts-*', 'whisper-*']),
    at: (address) =>
      /^https:\/\/api\.openai\.com(\/v1)?$/.test(address)
        ? { config: { type: 'openai' } }
        : { config: { type: 'openai-compatible', baseURL: address } },
  },
  {
    names: ['azure', 'azure-openai', 'azure_text'],
    type: 'openai',
    channels: [3],
    variable: 'AZURE_API_KEY',
    unversioned: true,
    baseURL: 'env:AZURE_API_BASE',
    model: (name) => name.replace(/^(responses|o_series|gpt5_series)\//, ''),
    at: azureAt,
  },
  {
    names: ['azure_ai', 'azure-ai-foundry'],
    type: 'openai-compatible',
    baseURL: 'env:AZURE_AI_API_BASE',
    variable: 'AZURE_AI_API_KEY',
    at: foundryAt,
  },
  {
    names: ['anthropic', 'anthropic_text', 'claude'],
    type: 'anthropic',
    unversioned: true,
    channels: [14],
    families: ['claude*'],
  },
  {
    names: ['gemini', 'google', 'google_ai_studio'],
    type: 'gemini',
    unversioned: true,
    channels: [24, 51],
    at: (address) => ({ config: { type: 'gemini', baseURL: address.replace(/\/v1(beta)?(\/openai)?$/, '') } }),
  },
  {
    names: ['huggingface', 'hf'],
    type: 'huggingface',
    unversioned: true,
    variable: 'HF_TOKEN',
    // A provider behind the router comes first there, and last here.
    model: (name) => name.replace(/^([^/]+)\/([^/]+\/[^/]+)$/, '$2:$1'),
    at: (address) => ({ config: { type: 'huggingface', endpointUrl: address } }),
  },
  { names: ['ollama', 'ollama_chat'], type: 'ollama', unversioned: true, channels: [30], keyless: true },
  { names: ['groq'], type: 'groq', channels: [29] },
  { names: ['together', 'together_ai', 'together-ai'], type: 'together', channels: [39] },
  {
    names: ['fireworks', 'fireworks_ai'],
    type: 'fireworks',
    model: (name) => (/[/#*]/.test(name) ? name : `accounts/fireworks/models/${name}`),
  },
  { names: ['openrouter'], type: 'openrouter', router: true, channels: [20] },
  {
    names: ['deepseek'],
    type: 'deepseek',
    channels: [36],
    at: (address) => ({ config: { type: 'deepseek', baseURL: address } }),
  },
  { names: ['mistral', 'mistral-ai', 'mistralai'], type: 'mistral', channels: [28] },
  { names: ['vllm', 'hosted_vllm'], type: 'vllm', keyless: true },
  { names: ['lmstudio', 'lm_studio'], type: 'lmstudio', keyless: true },
  { names: ['llamacpp', 'llama.cpp', 'llamafile'], type: 'llamacpp', keyless: true },
  ...compatible(),
  { names: ['server'], type: 'openai-compatible', anyServer: true },
]

/** Azure's resources. `/openai/v1` has no versions and takes the model from the body. */
function azureAt(address: string, version: string | undefined): Placed {
  if (address.startsWith('env:')) {
    return { config: { type: 'openai', baseURL: address, apiVersion: version ?? usualVersion }, ...untold(version) }
  }
  if (/\/openai\/v1$/.test(address)) return { config: { type: 'openai', baseURL: address } }
  const [, root = address, model] = /^(.*?)\/openai(?:\/deployments\/([^/]+).*)?$/.exec(address) ?? []
  if (/^(v1|latest|preview)$/.test(version ?? '')) return { config: { type: 'openai', baseURL: `${root}/openai/v1` } }
  const config = { type: 'openai', baseURL: root, apiVersion: version ?? usualVersion }
  return { config, ...untold(version), ...(model !== undefined && { model: decodeURIComponent(model) }) }
}

/** https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle */
const usualVersion = '2024-10-21'

function untold(version: string | undefined): { changed?: string } {
  return version === undefined ? { changed: `it names no version of Azure's API; here ${usualVersion}` } : {}
}

/** https://learn.microsoft.com/azure/ai-foundry/foundry-models/concepts/endpoints */
function foundryAt(address: string): Placed {
  if (/\/anthropic(\/|$)/.test(address)) {
    return { config: { type: 'anthropic', baseURL: address.replace(/\/v1(\/messages)?$/, '') } }
  }
  const [, resource] =
    /^(https:\/\/[^/]+\.(?:services\.ai|openai|cognitiveservices)\.azure\.com)(?:\/|$)/.exec(address) ?? []
  const config = (baseURL: string) => ({ type: 'openai-compatible', baseURL })
  if (resource) return { config: config(`${resource}/openai/v1`), changed: `asked at ${resource}/openai/v1` }
  if (/\.models\.ai\.azure\.com$/.test(address)) return { config: config(`${address}/v1`) }
  return { config: config(address) }
}

/** Services with an API in OpenAI's format: names, address, the variable for the key. */
function compatible(): Platform[] {
  const rows: readonly (readonly [names: string, baseURL: string, variable: string, channel?: number])[] = [
    ['xai x-ai grok', 'https://api.x.ai/v1', 'XAI_API_KEY', 45],
    ['cerebras', 'https://api.cerebras.ai/v1', 'CEREBRAS_API_KEY'],
    ['perplexity perplexity-ai', 'https://api.perplexity.ai', 'PERPLEXITYAI_API_KEY'],
    ['deepinfra', 'https://api.deepinfra.com/v1/openai', 'DEEPINFRA_API_KEY'],
    ['nvidia_nim nvidia', 'https://integrate.api.nvidia.com/v1', 'NVIDIA_NIM_API_KEY'],
    ['sambanova', 'https://api.sambanova.ai/v1', 'SAMBANOVA_API_KEY'],
    ['moonshot moonshotai kimi', 'https://api.moonshot.ai/v1', 'MOONSHOT_API_KEY', 25],
    ['zai z-ai zhipu', 'https://api.z.ai/api/paas/v4', 'ZAI_API_KEY', 16],
    ['dashscope qwen', 'https://dashscope-intl.aliyuncs.com/compatible-mode/v1', 'DASHSCOPE_API_KEY', 49],
    ['minimax', 'https://api.minimax.io/v1', 'MINIMAX_API_KEY', 27],
    ['hyperbolic', 'https://api.hyperbolic.xyz/v1', 'HYPERBOLIC_API_KEY'],
    ['nscale', 'https://inference.api.nscale.com/v1', 'NSCALE_API_KEY'],
    ['lambda lambda_ai', 'https://api.lambda.ai/v1', 'LAMBDA_API_KEY'],
    ['novita novita-ai', 'https://api.novita.ai/v3/openai', 'NOVITA_API_KEY', 41],
    ['nebius', 'https://api.studio.nebius.ai/v1', 'NEBIUS_API_KEY'],
    ['vercel_ai_gateway', 'https://ai-gateway.vercel.sh/v1', 'VERCEL_AI_GATEWAY_API_KEY'],
    ['github github-models', 'https://models.github.ai/inference', 'GITHUB_API_KEY'],
    ['cohere cohere_chat', 'https://api.cohere.ai/compatibility/v1', 'COHERE_API_KEY', 35],
    ['ai21 ai21_chat', 'https://api.ai21.com/studio/v1', 'AI21_API_KEY'],
    ['voyage', 'https://api.voyageai.com/v1', 'VOYAGE_API_KEY'],
    ['jina jina_ai', 'https://api.jina.ai/v1', 'JINA_AI_API_KEY'],
    ['meta_llama', 'https://api.llama.com/compat/v1', 'LLAMA_API_KEY'],
    ['volcengine doubao', 'https://ark.cn-beijing.volces.com/api/v3', 'VOLCENGINE_API_KEY', 40],
    ['featherless_ai featherless', 'https://api.featherless.ai/v1', 'FEATHERLESS_AI_API_KEY'],
    ['friendliai', 'https://api.friendli.ai/serverless/v1', 'FRIENDLI_TOKEN'],
    ['baseten', 'https://inference.baseten.co/v1', 'BASETEN_API_KEY'],
    ['codestral', 'https://codestral.mistral.ai/v1', 'CODESTRAL_API_KEY'],
    ['siliconflow', 'https://api.siliconflow.cn/v1', 'SILICONFLOW_API_KEY', 44],
    ['inference-net', 'https://api.inference.net/v1', 'INFERENCE_API_KEY'],
    ['lingyi', 'https://api.lingyiwanwu.com/v1', 'LINGYI_API_KEY', 31],
    ['stepfun', 'https://api.stepfun.com/v1', 'STEPFUN_API_KEY', 32],
    ['upstage', 'https://api.upstage.ai/v1', 'UPSTAGE_API_KEY'],
    ['v0', 'https://api.v0.dev/v1', 'V0_API_KEY'],
    ['morph', 'https://api.morphllm.com/v1', 'MORPH_API_KEY'],
    ['inception', 'https://api.inceptionlabs.ai/v1', 'INCEPTION_API_KEY'],
    ['scaleway', 'https://api.scaleway.ai/v1', 'SCW_SECRET_KEY'],
    ['publicai', 'https://api.publicai.co/v1', 'PUBLICAI_API_KEY'],
    ['ovhcloud', 'https://oai.endpoints.kepler.ai.cloud.ovh.net/v1', 'OVHCLOUD_API_KEY'],
    ['wandb', 'https://api.inference.wandb.ai/v1', 'WANDB_API_KEY'],
    ['poe', 'https://api.poe.com/v1', 'POE_API_KEY'],
    ['chutes', 'https://llm.chutes.ai/v1', 'CHUTES_API_KEY'],
    ['litellm_proxy', 'env:LITELLM_PROXY_API_BASE', 'LITELLM_PROXY_API_KEY'],
  ]
  return rows.map(([names, baseURL, variable, channel]) => ({
    names: names.split(' '),
    type: 'openai-compatible',
    baseURL,
    variable,
    ...(channel !== undefined && { channels: [channel] }),
  }))
}
