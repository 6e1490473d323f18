/**
 * How servers word that they don't take a field or a role, whatever the status. A field's name is in the group `names`,
 * which may hold several. Kept apart from the kinds of failures: these say which part of a request to change.
 */
interface Wording {
  readonly server: string
  readonly source: string
  readonly match: RegExp
}

/** A refused top-level field. Fields of messages and tools, which some servers word alike, don't match. */
const fieldWordings: readonly Wording[] = [
  {
    server: 'OpenAI',
    source: 'langchain-ai/langchain#29416',
    match: /unsupported parameter:? ['"`](?<names>\w+)['"`]/gi,
  },
  {
    server: 'OpenAI, Azure',
    source: 'microsoft/semantic-kernel#8189',
    match: /unknown parameter:? ['"`](?<names>\w+)['"`]/gi,
  },
  {
    server: 'Azure',
    source: 'pydantic/pydantic-ai#169',
    match: /unrecognized request arguments? supplied: (?<names>\w+(?:, \w+)*)/gi,
  },
  {
    server: 'Groq, Cerebras',
    source: 'fanenr/chatbot#21; nested fields: janhq/jan#8136, Kilo-Org/kilocode#10375',
    match: /(?<!' : )property ['"](?:body\.)?(?<names>\w+)['"] is unsupported/gi,
  },
  {
    server: 'vLLM, SGLang, Mistral: pydantic 2, and 1 with `fields`, in JSON or in Python',
    source: '1Panel-dev/MaxKB#2912, partITech/php-mistral#76, voideditor/void#128',
    match:
      /loc\W{1,5}[[(]\W{0,3}body\W{1,6}(?<names>\w+)\W{0,3}[\])]\W{1,6}msg\W{1,6}extra (?:inputs are|fields) not permitted/gi,
  },
  {
    server: 'Azure AI (Mistral), and pydantic in one line',
    source: 'microsoft/semantic-kernel#10510',
    match: /(?:^|\s|#\/|\bbody\.)(?<names>\w+): extra (?:inputs are|fields) not permitted/gi,
  },
  {
    server: 'Z.ai',
    source: 'mitsuhiko/agent-stuff#19',
    match: /extra inputs are not permitted, field: ['"](?<names>\w+)['"]/gi,
  },
  {
    server: 'Gemini',
    source: 'liliMozi/openhanako#394, ed-donner/agents#45',
    match: /unknown name \W{1,2}(?<names>\w+)\W{1,2}: cannot find field/gi,
  },
  {
    server: 'Databricks, servers in Go and Rust',
    source: 'continuedev/continue#12936',
    match: /(?<!\]: )unknown field \W{0,2}(?<names>\w+)\W/gi,
  },
  {
    server: 'LiteLLM',
    source: 'BerriAI/litellm#6456, BerriAI/litellm#9686',
    match: /does not support parameters?:? [[{](?<names>[^\]}]{1,300})[\]}]/gi,
  },
  {
    server: 'others, in plain words',
    source: 'BerriAI/litellm#8980 and others',
    match:
      /^(?:[^:]{1,60}: )?(?:the )?(?:parameter |argument |field |option )?['"`]?(?<names>[a-z]+(?:_[a-z]+)*)['"`]? (?:parameter |argument |field |option )?is not (?:currently |yet )?supported/gi,
  },
]

/** The role `developer` is refused. */
const roleWordings: readonly Wording[] = [
  {
    server: 'vLLM, llama.cpp and others with Qwen’s template',
    source: 'ogx-ai/ogx#6069, ggml-org/llama.cpp#20079',
    match: /unexpected (?:message )?role\b(?!:? ['"`]?(?:user|assistant|tool|system|function)\b)/i,
  },
  {
    server: 'DashScope, OpenAI before 2025',
    source: 'haru/redmine_ai_helper#242',
    match: /developer['"`]? is not one of/i,
  },
  {
    server: 'DeepSeek',
    source: 'eclipse-theia/theia#15144, earendil-works/pi#1048',
    match: /unknown variant ['"`]?developer/i,
  },
  {
    server: 'SGLang',
    source: 'sgl-project/sglang#14304',
    match: /['"`]role['"`] must be one of/i,
  },
  {
    server: 'SiliconFlow, Mistral',
    source: 'agno-agi/agno#1967',
    match: /input tag ['"`]developer['"`] found using/i,
  },
  {
    server: 'Groq',
    source: 'nhaouari/obsidian-textgenerator-plugin#309',
    match: /discriminator property ['"`]role['"`] has invalid value/i,
  },
  {
    server: 'Volcengine',
    source: 'agno-agi/agno#6697',
    match: /invalid value: ['"`]?developer/i,
  },
  {
    server: 'gateways behind new-api',
    source: 'QuantumNous/new-api#5330',
    match: /(?:invalid|unknown|unsupported|unrecogni[sz]ed)(?: message)? role:? ['"`(]*developer/i,
  },
  {
    server: 'CommandCode: zod',
    source: 'dev2k6/command-code-proxy-server#8',
    match: /expected one of .{1,120} at ['"`][\w.]{0,40}messages\[\d+\]\.role/i,
  },
  {
    server: 'templates of Mistral’s models, in LM Studio and llama.cpp',
    source: 'Mintplex-Labs/anything-llm#2914, anomalyco/opencode#5034',
    match: /only .{1,60}\broles? (?:is|are) (?:supported|allowed)(?!.{0,20}\bgot system)/i,
  },
  {
    server: 'OpenAI’s first reasoning models',
    source: 'https://platform.openai.com/docs/guides/reasoning',
    match: /messages\[\d+\]\.role['"`]? does not support ['"`]?developer/i,
  },
  {
    server: 'others, in plain words',
    source: 'earendil-works/pi, compat.supportsDeveloperRole',
    match:
      /\brole:? ['"`]?developer['"`]? (?:is )?(?:not (?:supported|allowed|valid|recogni[sz]ed)|unsupported|invalid)|['"`]?developer['"`]? role is (?:not supported|not allowed|unsupported|invalid)|not support (?:the )?(?:['"`]?developer['"`]? role|role ['"`]?developer)/i,
  },
]

/** Instructions must be one message at the start. */
const orderWordings: readonly Wording[] = [
  {
    server: 'vLLM, llama.cpp, Fireworks with Qwen’s template; Anthropic on Vertex',
    source: 'vllm-project/vllm#41114, BerriAI/litellm#39852',
    match:
      /system (?:message|prompt|role)s? (?:must|should|has to|can only|may only) (?:be|appear) .{0,20}(?:first|beginning|start)/i,
  },
  {
    server: 'vLLM with the templates of Gemma and Mistral, LM Studio, llama.cpp',
    source: 'suitenumerique/conversations#197, ggml-org/llama.cpp#19851',
    match: /conversation roles must alternate/i,
  },
  {
    server: 'mlc-llm, others',
    source: 'mlc-ai/mlc-llm#2311',
    match: /(?:multiple|more than one) system (?:message|prompt)s?|only (?:one|a single) system (?:message|prompt)/i,
  },
]

/** The fields that a message says are refused. */
export function fieldsRefused(message: string): string[] {
  const found = fieldWordings.flatMap(({ match }) => [...message.matchAll(match)])
  return found.flatMap(({ groups }) => groups?.names?.match(/\w+/g) ?? [])
}

export function refusesDeveloper(message: string): boolean {
  return roleWordings.some(({ match }) => match.test(message))
}

export function wantsOneInstruction(message: string): boolean {
  return orderWordings.some(({ match }) => match.test(message))
}

/** Two fields of the request that exclude each other: OpenAI (langchain-ai/langgraph#5943), Volcengine (nanobot#2548). */
export function fieldsExcluded(message: string): readonly [string, string] | undefined {
  const found = /['"`]?(\w+)['"`]? and ['"`]?(\w+)['"`]? (?:cannot be set )?at the same time/i.exec(message)
  return found?.[1] && found[2] ? [found[1], found[2]] : undefined
}

/** The name that a message recommends: "Use 'max_completion_tokens' instead." */
export function nameRecommended(message: string): string | undefined {
  return /\buse ['"`](\w+)['"`] instead/i.exec(message)?.[1]
}
