/** How a known server words that it refuses a part of a request, whatever the status. */
export interface PartWording {
  /**
   * `value`: one that the API knows, but not the model. `developer`, `system`: that role, the latter for any instruction.
   * `order`: it isn't one message at the start.
   */
  readonly part: 'field' | 'value' | 'developer' | 'system' | 'order'
  /** A field's name is in the group `names`, which may hold several. */
  readonly match: RegExp
}

/** Fields of messages and tools, which some servers word like top-level ones, don't match. */
// biome-ignore format: a table
export const partWordings: readonly PartWording[] = [
  { part: 'field', match: /unsupported parameter:? ['"`](?<names>\w+)['"`]/gi }, // OpenAI: langchain-ai/langchain#29416
  { part: 'field', match: /unknown parameter:? ['"`](?<names>\w+)['"`]/gi }, // OpenAI, Azure: microsoft/semantic-kernel#8189
  { part: 'field', match: /unrecognized request arguments? supplied: (?<names>\w+(?:, \w+)*)/gi }, // Azure: pydantic/pydantic-ai#169
  { part: 'field', match: /(?<!' : )property ['"](?:body\.)?(?<names>\w+)['"] is unsupported/gi }, // Groq, Cerebras: fanenr/chatbot#21, janhq/jan#8136, Kilo-Org/kilocode#10375
  { part: 'field', match: /loc\W{1,5}[[(]\W{0,3}body\W{1,6}(?<names>\w+)\W{0,3}[\])]\W{1,6}msg\W{1,6}extra (?:inputs are|fields) not permitted/gi }, // vLLM, SGLang, Mistral, pydantic 2, and 1 with `fields`, in JSON or in Python: 1Panel-dev/MaxKB#2912, partITech/php-mistral#76, voideditor/void#128
  { part: 'field', match: /(?:^|\s|#\/|\bbody\.)(?<names>\w+): extra (?:inputs are|fields) not permitted/gi }, // Azure AI (Mistral), and pydantic in one line: microsoft/semantic-kernel#10510
  { part: 'field', match: /(?<![\w.])(?<names>\w+) extra inputs are not permitted \[type=extra_forbidden/gi }, // vLLM, as pydantic prints it: runpod-workers/worker-vllm#85
  { part: 'field', match: /extra inputs are not permitted, field: ['"](?<names>\w+)['"]/gi }, // Z.ai: mitsuhiko/agent-stuff#19
  { part: 'field', match: /unknown name \W{1,2}(?<names>\w+)\W{1,2}: cannot find field/gi }, // Gemini: liliMozi/openhanako#394, ed-donner/agents#45
  { part: 'field', match: /(?<!\]: )unknown field \W{0,2}(?<names>\w+)\W/gi }, // Databricks, servers in Go and Rust: continuedev/continue#12936
  { part: 'field', match: /unknown field: parameter ['"](?<names>\w+)['"]/gi }, // Cohere: public code that holds them
  { part: 'field', match: /\b(?:unknown (?:field|parameter)|unrecogni[sz]ed field): (?<names>\w+)(?=[.,;]?(?:\s|$))(?! ['"])/gi }, // Cohere, others: a report alone
  { part: 'field', match: /(?<!#\/[^:\s]{1,80}: )extraneous key \[(?<names>\w+)\] is not permitted/gi }, // AWS Bedrock: public code that holds them
  { part: 'field', match: /argument not supported on this model: (?<names>\w+)(?=[.,;]?(?:\s|$))/gi }, // xAI: public code that holds them
  { part: 'field', match: /does not support parameters?:? [[{](?<names>[^\]}]{1,300})[\]}]/gi }, // LiteLLM: BerriAI/litellm#6456, BerriAI/litellm#9686
  { part: 'field', match: /^(?:[^:]{1,60}: )?(?:the )?(?:parameter |argument |field |option )?['"`]?(?<names>[a-z]+(?:_[a-z]+)*)['"`]? (?:parameter |argument |field |option )?is not (?:currently |yet )?supported/gi }, // others, in plain words: BerriAI/litellm#8980

  // A value that the API doesn't know is an "Invalid value".
  { part: 'value', match: /unsupported value: ['"`](?<names>\w+)[\w.[\]]{0,60}['"`] does not support\b/gi }, // OpenAI: CherryHQ/cherry-studio#1403

  { part: 'developer', match: /unexpected (?:message )?role\b(?!:? ['"`]?(?:user|assistant|tool|system|function)\b)/i }, // vLLM, llama.cpp and others with Qwen’s template: ogx-ai/ogx#6069, ggml-org/llama.cpp#20079
  { part: 'developer', match: /messages\.\d+\.role: input should be/i }, // servers with pydantic: earendil-works/pi#6238
  { part: 'developer', match: /role is ['"`]?developer['"`]?, not one of|received ['"`]developer/i }, // others, zod: maotoumao/Cebian#57, CherryHQ/cherry-studio#3045
  { part: 'developer', match: /developer['"`]? is not one of/i }, // DashScope, OpenAI before 2025: haru/redmine_ai_helper#242
  { part: 'developer', match: /unknown variant ['"`]?developer/i }, // DeepSeek: eclipse-theia/theia#15144, earendil-works/pi#1048
  { part: 'developer', match: /['"`]role['"`] must be one of/i }, // SGLang: sgl-project/sglang#14304
  { part: 'developer', match: /input tag ['"`]developer['"`] found using/i }, // SiliconFlow, Mistral: agno-agi/agno#1967
  { part: 'developer', match: /discriminator property ['"`]role['"`] has invalid value/i }, // Groq: nhaouari/obsidian-textgenerator-plugin#309
  { part: 'developer', match: /invalid value: ['"`]?developer/i }, // Volcengine: agno-agi/agno#6697
  { part: 'developer', match: /(?:invalid|unknown|unsupported|unrecogni[sz]ed)(?: message)? role:? ['"`(]*developer/i }, // gateways behind new-api: QuantumNous/new-api#5330
  { part: 'developer', match: /expected one of .{1,120} at ['"`][\w.]{0,40}messages\[\d+\]\.role/i }, // CommandCode, zod: dev2k6/command-code-proxy-server#8
  { part: 'developer', match: /only .{1,60}\broles? (?:is|are) (?:supported|allowed)(?!.{0,20}\bgot system)/i }, // templates of Mistral’s models, in LM Studio and llama.cpp: Mintplex-Labs/anything-llm#2914, anomalyco/opencode#5034
  { part: 'developer', match: /messages\[\d+\]\.role['"`]? does not support ['"`]?developer/i }, // OpenAI’s first reasoning models: https://platform.openai.com/docs/guides/reasoning
  { part: 'developer', match: /incorrect role information|角色信息不正确/i }, // Zhipu: openclaw/openclaw#23115, earendil-works/pi#547
  { part: 'developer', match: /\brole:? ['"`]?developer['"`]? (?:is )?(?:not (?:supported|allowed|valid|recogni[sz]ed)|unsupported|invalid)|['"`]?developer['"`]? role is (?:not supported|not allowed|unsupported|invalid)|not support (?:the )?(?:['"`]?developer['"`]? role|role ['"`]?developer)/i }, // others, in plain words: earendil-works/pi compat.supportsDeveloperRole
  { part: 'developer', match: /message\[\d+\]\.role must be one of/i }, // Cohere: a report alone
  { part: 'developer', match: /invalid role in the chat message/i }, // Databricks: public code that holds them
  { part: 'developer', match: /please use a valid role: user, model/i }, // Google: public code that holds them
  { part: 'developer', match: /developer is not a valid enum value|value ['"]developer['"] at ['"]messages\.\d+\.member\.role['"] failed/i }, // AWS Bedrock: public code that holds them
  { part: 'developer', match: /messages -> \d+ -> role:? input should be/i }, // Perplexity: public code that holds them

  // Said of `developer` in the same words, which is tried as `system` first.
  { part: 'system', match: /please use a valid role: user, model|value ['"]system['"] at ['"]messages\.\d+\.member\.role['"] failed/i }, // Google, AWS Bedrock: public code that holds them
  { part: 'system', match: /developer instruction is not enabled/i }, // Google, with Gemma: 0xPlaygrounds/rig#788, microsoft/vscode#258088
  { part: 'system', match: /system role (?:is )?not supported/i }, // vLLM, SGLang, llama.cpp with Gemma’s template: huggingface/chat-ui#1386, sgl-project/sglang#892
  { part: 'system', match: /messages\[\d+\]\.role['"`]? does not support ['"`]?system/i }, // OpenAI’s first reasoning models: CherryHQ/cherry-studio#1403
  { part: 'system', match: /only user and assistant roles are supported/i }, // LM Studio with templates of Mistral’s models: Mintplex-Labs/anything-llm#2914

  { part: 'order', match: /system (?:message|prompt|role)s? (?:must|should|has to|can only|may only) (?:be|appear) .{0,20}(?:first|beginning|start)/i }, // vLLM, llama.cpp, Fireworks with Qwen’s template; Anthropic on Vertex: vllm-project/vllm#41114, BerriAI/litellm#39852
  { part: 'order', match: /conversation roles must alternate/i }, // vLLM with the templates of Gemma and Mistral, LM Studio, llama.cpp: suitenumerique/conversations#197, ggml-org/llama.cpp#19851
  { part: 'order', match: /(?:multiple|more than one) system (?:message|prompt)s?|only (?:one|a single) system (?:message|prompt)/i }, // mlc-llm, others: mlc-ai/mlc-llm#2311
]
