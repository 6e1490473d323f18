import type { ErrorRule } from './provider.ts'

/** Statuses under which servers refuse a model's name. Under others the same words may be about something else. */
const asked = [400, 403, 404, 422]
/** Statuses under which servers tell of a used-up allowance. */
const refused = [400, 402, 403, 412, 429]

/**
 * What servers say, whichever provider is configured. A provider's own rules come first, and these are tried in order:
 * those that say more stand before those that say less. `code` outranks the status of the response.
 *
 * After each row: who says so, and where it was found, in a public repository's issue or file or in a recording. That is
 * a comment so that Workers don't carry it.
 */
// biome-ignore format: a table
export const wordings: readonly ErrorRule[] = [
  // Larger than any minute's allowance: waiting doesn't help, a shorter prompt does.
  { kind: 'context_length', match: /request too large for .{1,200}limit \d+, requested \d+/i }, // Groq, OpenAI: continuedev/continue#10218, vanna-ai/vanna-flask#11

  { kind: 'quota', code: ['insufficient_quota', 'billing_not_active', 'billing_hard_limit_reached', 'credit_balance_exhausted'] }, // OpenAI: simonw/llm#494, BerriAI/litellm#2743, dfinke/PowerShellAI#127, promptfoo/promptfoo#10881
  { kind: 'quota', code: ['usage_limit_reached', 'usage_not_included'] }, // OpenAI Codex: earendil-works/pi#4172, router-for-me/CLIProxyAPI#1666
  { kind: 'quota', code: ['budget_exceeded'] }, // LiteLLM: BerriAI/litellm#40002
  { kind: 'quota', code: ['exceeded_current_quota_error'] }, // Moonshot: MoonshotAI/kimi-code#1857
  { kind: 'quota', code: ['Arrearage', 'AllocationQuota.FreeTierOnly'] }, // DashScope: tencentmusic/supersonic#1572, 666ghj/BettaFish#609
  { kind: 'quota', code: ['CreditsError'] }, // OpenCode Zen, under 401: anomalyco/opencode#48602, anomalyco/opencode#37161
  { kind: 'quota', code: ['NOT_ENOUGH_BALANCE'] }, // Novita: a report alone
  { kind: 'quota', code: ['monthly_quota_exceeded'] }, // others: a report alone
  { kind: 'quota', code: ['insufficient_user_quota'] }, // one-api, new-api: songquanpeng/one-api#1270
  { kind: 'context_length', code: ['context_length_exceeded'] }, // OpenAI, Groq: OpenHands/OpenHands#1902
  { kind: 'context_length', code: ['exceed_context_size_error'] }, // llama.cpp: test/fixtures/llama-server-0.7.0.json
  { kind: 'context_length', code: ['ContextWindowExceededError'] }, // LiteLLM: agent0ai/agent-zero#1102
  { kind: 'context_length', code: ['tokens_limit_reached', 'model_max_prompt_tokens_exceeded'] }, // GitHub Models, Copilot: eslint/tsc-meetings#593, microsoft/vscode#289514
  { kind: 'context_length', code: ['model_context_window_exceeded'] }, // Z.ai: earendil-works/pi packages/ai/src/utils/overflow.ts
  { kind: 'context_length', code: ['request_too_large'] }, // Anthropic: earendil-works/pi packages/ai/src/utils/overflow.ts
  { kind: 'retired', code: ['model_decommissioned'] }, // Groq: RightNow-AI/openfang#60
  { kind: 'not_found', code: ['model_not_found', 'model_not_supported'] }, // OpenAI, new-api, Copilot: skorokithakis/sysaidmin#9, github/copilot-cli#639
  { kind: 'not_found', code: ['invalid_model'] }, // Mistral, Perplexity: tmc/langchaingo#1233, BerriAI/litellm#908
  { kind: 'not_found', code: ['model_not_available', 'dedicated_endpoint_not_running'] }, // Together: HeyPuter/puter#3168
  { kind: 'not_found', code: ['DeploymentNotFound'] }, // Azure: songquanpeng/one-api#127
  { kind: 'not_found', code: ['ENDPOINT_NOT_FOUND', 'RESOURCE_DOES_NOT_EXIST'] }, // Databricks: databricks-demos/dbdemos#220
  { kind: 'not_found', code: ['unknown_model'] }, // GitHub Models: github/gh-models#65
  // The key is good, but not for this model.
  { kind: 'not_found', code: ['model_permission_blocked_org', 'key_model_access_denied'] }, // Groq, LiteLLM: orbi-build/orbi#561, BerriAI/litellm#39660
  { kind: 'wrong_endpoint', code: ['OperationNotSupported'] }, // Azure: run-llama/llama_index#16503
  { kind: 'incapable', code: ['invalid_encrypted_content'] }, // OpenAI: openai/codex#8145
  { kind: 'content_policy', code: ['content_filter', 'content_policy_violation', 'data_inspection_failed'] }, // Azure, OpenAI, DashScope: openai/openai-python#331, songquanpeng/one-api#737, camel-ai/owl#432
  { kind: 'auth', code: ['invalid_api_key', 'account_deactivated', 'API_KEY_INVALID', 'organization_restricted'] }, // OpenAI, Google, Groq: OpenAI’s API reference, ChatGPTNextWeb/NextChat#4175, google-gemini/gemini-cli#25198, NVIDIA-NeMo/Guardrails#563
  { kind: 'overloaded', code: ['overloaded_error', 'engine_overloaded_error', 'overloaded'] }, // Anthropic, Moonshot, TGI: anthropics/claude-code#5184, MoonshotAI/MoonshotAI-Cookbook#16, huggingface/text-generation-inference router/src/infer/mod.rs
  { kind: 'rate_limit', code: ['rate_limit_exceeded', 'rate_limit_error'] }, // OpenAI, Groq, Anthropic: continuedev/continue#10218, anthropics/claude-code#55789
  { kind: 'rate_limit', code: ['base_resp.1002', 'base_resp.1039', 'base_resp.1041', 'base_resp.2045'] }, // MiniMax: https://platform.minimax.io/docs/api-reference/errorcode
  { kind: 'quota', code: ['base_resp.1008', 'base_resp.2056'] }, // MiniMax: https://platform.minimax.io/docs/api-reference/errorcode
  { kind: 'auth', code: ['base_resp.1004', 'base_resp.2049'] }, // MiniMax: https://platform.minimax.io/docs/api-reference/errorcode
  { kind: 'not_found', code: ['base_resp.2061'] }, // MiniMax: MiniMax-AI/cli src/errors/api.ts
  { kind: 'content_policy', code: ['base_resp.1026', 'base_resp.1027'] }, // MiniMax: https://platform.minimax.io/docs/api-reference/errorcode
  // The model wrote a call or JSON that can't be read, so the request isn't at fault: the next answer may be well-formed.
  { kind: 'upstream', code: ['tool_use_failed', 'json_validate_failed'] }, // Groq: anomalyco/opencode#1018, tashfeenahmed/freellmapi#168, thepersonalaicompany/amurex-backend#38

  // Its limits per minute are worded like its quota.
  { kind: 'rate_limit', status: 429, match: /^(?!.*(?:per ?day|limit: 0\b)).*(?:please retry in \d|per ?minute)/is }, // Google: google-gemini/gemini-cli#8437, RooCodeInc/Roo-Code#3883
  { kind: 'quota', status: 429, match: /insufficient_quota|exceeded your (?:current|monthly) quota|(?<!add )credit/i }, // OpenAI: joschan21/quill#89
  { kind: 'quota', status: refused, match: /余额不足|已欠费/ }, // Zhipu: continuedev/continue#11823, langgenius/dify#5850
  { kind: 'quota', status: refused, match: /billing hard limit has been reached|account is not active, please check your billing/i }, // OpenAI: bajrangCoder/acode-plugin-chatgpt#19, lifan0127/ai-research-assistant#174
  { kind: 'quota', status: refused, match: /usage limit has been reached|reached your (?:(?:hourly|daily|weekly|monthly|session|specified|api) ){0,3}usage limit/i }, // OpenAI Codex, Ollama, Anthropic: earendil-works/pi#4172, NousResearch/hermes-agent#68832
  { kind: 'quota', status: refused, match: /insufficient (?:account )?(?:balance|funds|credits?|quota)|balance is insufficient|credit balance is too low/i }, // Zhipu, Moonshot, SiliconFlow, Anthropic: adolfousier/opencrabs#1254, continuedev/continue#11443, FoundationAgents/OpenManus#438, anthropics/claude-code#66314
  { kind: 'quota', status: refused, match: /does(?:n't| not) have any credits\b/i }, // xAI: continuedev/continue#12670, griptape-ai/griptape-nodes-engine#1079
  { kind: 'quota', status: refused, match: /limited to \d[\d,]* api calls ?\/ ?month|quota exceeded for the month/i }, // Cohere, others: cohere-ai/cohere-developer-experience#199
  { kind: 'quota', status: refused, match: /budget has been exceeded|exceeded budget for/i }, // LiteLLM: BerriAI/litellm#14144
  { kind: 'quota', status: refused, match: /key limit exceeded|credit limit exceeded|(?:spending|spend) limit\b|used all available credits|run out of credits/i }, // OpenRouter, xAI, Together: RooCodeInc/Roo-Code#515, continuedev/continue#10373, Wei-Shaw/sub2api#4069
  { kind: 'quota', status: refused, match: /exceeded your (?:monthly )?included credits/i }, // Hugging Face: huggingface/agents-course#386
  { kind: 'quota', status: refused, match: /\baccount \S+ is suspended|failure to pay past invoices/i }, // Fireworks: pollinations/pollinations#12136, FerroxLabs/wayland#545
  { kind: 'quota', status: refused, match: /free (?:tier|quota|allocation).{0,80}exhausted|used up your (?:daily|weekly|monthly)/i }, // DashScope, Cloudflare: APIParkLab/APIPark#394, get-engram/engram#34

  { kind: 'incapable', lacks: 'tools', match: /requires --(?:enable-auto-tool-choice|tool-call-parser)/i }, // vLLM: langchain4j/langchain4j#3475
  { kind: 'incapable', lacks: 'tools', match: /no endpoints found that support tool use/i }, // OpenRouter: evalstate/fast-agent#122
  { kind: 'incapable', lacks: 'tools', match: /unsupported tool_call_parser/i }, // SGLang: sgl-project/sglang#9102
  { kind: 'incapable', lacks: 'tools', match: /tools param requires --jinja|unsupported param: tools/i }, // llama.cpp: ggml-org/llama.cpp#10920, containers/ramalama#988
  { kind: 'incapable', lacks: 'tools', match: /do(?:es)?(?: not|n't) support (?:tools\b|(?:function|tool)[ -]?(?:call(?:ing|s)?|use)\b)/i }, // DeepSeek, Ollama: dnakov/anon-kode#10
  { kind: 'incapable', lacks: 'tools', match: /(?:tool|function) call(?:s|ing)?.? (?:is|are) not (?:supported|enabled)/i }, // Groq, Google, SiliconFlow: FerroxLabs/wayland-core#54, agno-agi/agno#3505
  { kind: 'incapable', lacks: 'tools', match: /features? function calling not support/i }, // Novita: public code that holds them
  { kind: 'incapable', lacks: 'tools', match: /\b(?:tools are|tool use is) not supported/i }, // others: a report alone
  { kind: 'incapable', lacks: 'vision', match: /image input modality is not enabled|missing data required for image input/i }, // Google, Ollama: google/generative-ai-docs#513, valentinfrlch/ha-llmvision#691
  { kind: 'incapable', lacks: 'vision', match: /is not a multimodal model/i }, // vLLM: vllm-project/vllm#19144
  { kind: 'incapable', lacks: 'vision', match: /at most 0 image\(s\) may be provided/i }, // vLLM: vllm-project/vllm#13513
  { kind: 'incapable', match: /at most \d+ (?:image|audio|video)\(s\) may be provided|supports at most \d+ images?\b/i }, // vLLM, Crucible: vllm-project/vllm#9739, diegosouzapw/OmniRoute#3044
  { kind: 'incapable', lacks: 'vision', match: /unknown variant .?image_url/i }, // DeepSeek: 1jehuang/jcode#310
  { kind: 'incapable', lacks: 'vision', match: /no endpoints found that support image input/i }, // OpenRouter: bobrware/bobrchat#60
  { kind: 'incapable', lacks: 'vision', match: /image_url is only supported by certain models/i }, // OpenAI, Azure: browser-use/web-ui#274, danny-avila/LibreChat#6333
  { kind: 'incapable', lacks: 'vision', match: /images? (?:input|content)?s? ?(?:is|are) not (?:supported|enabled)/i }, // llama.cpp: test/fixtures/llama-server-0.7.0.json
  { kind: 'incapable', lacks: 'vision', match: /is not a vlm\b/i }, // SiliconFlow: public code that holds them
  { kind: 'incapable', lacks: 'vision', match: /messages\.content\.type 参数非法/ }, // Zhipu: a report alone
  { kind: 'incapable', lacks: 'vision', match: /\bimage inputs? not supported|\bvision is not supported|only supports text inputs?\b|\bimage_url\W{0,2} (?:is )?not supported/i }, // others: a report alone
  // The same words are about a wrong value where there is no image.
  { kind: 'incapable', lacks: 'vision', status: [400, 422], holds: /"image_url"/, match: /(?:^|; )messages\.\d+\.content(?:\.\w+)?: (?:input should be a valid string|str type expected)/i }, // servers with pydantic: a report alone
  { kind: 'incapable', lacks: 'vision', match: /does(?: not|n't) (?:support|accept) (?:the )?(?:image|vision|multi-?modal)/i }, // LM Studio, Ollama, AWS Bedrock: lmstudio-ai/lmstudio-bug-tracker#908, ollama/ollama#17301, earendil-works/pi#8960
  { kind: 'incapable', lacks: 'vision', match: /unsupported content part type: \W{0,3}image_url/i }, // llama.cpp: ggml-org/llama.cpp#12947
  { kind: 'incapable', param: 'messages', match: /unsupported content part type|unsupported content\[\]\.type/i }, // llama.cpp: ggml-org/llama.cpp#17700
  { kind: 'incapable', param: 'tools', match: /unsupported tool type/i }, // llama.cpp: ggml-org/llama.cpp common/chat.cpp
  // Under 500, which would be asked again.
  { kind: 'bad_request', status: [400, 500], match: /^failed to parse (?:messages|tools): /i }, // llama.cpp: ggml-org/llama.cpp common/chat.cpp
  { kind: 'incapable', lacks: 'vision', status: 400, match: /messages?\[\d+\]\.content must be a string/i }, // Groq: vercel/ai#2837
  { kind: 'incapable', match: /audio input is not supported/i }, // llama.cpp: ggml-org/llama.cpp tools/server
  { kind: 'incapable', lacks: 'schema', match: /this response_format type is unavailable/i }, // DeepSeek: ItzCrazyKns/Vane#969
  { kind: 'incapable', lacks: 'schema', match: /'response_format' of type 'json_schema' is not supported/i }, // OpenAI: openai/openai-dotnet#276
  { kind: 'incapable', lacks: 'schema', match: /does not support response format|'response_format(?:\.type)?' (?:: value is not|must be) one of/i }, // Groq, Azure: plune-ai/cairn#36, dzhng/deep-research#127, BerriAI/litellm#5295
  { kind: 'incapable', lacks: 'schema', match: /structured outputs? (?:(?:is|are) )?not support/i }, // Novita, others: a report alone
  // JSON without a schema, which isn't what the capability is.
  { kind: 'incapable', param: 'response_format', match: /'response_format\.type' must be 'json_schema'|\bjson mode is not (?:supported|enabled)/i }, // LM Studio, SiliconFlow: lmstudio-ai/lmstudio-bug-tracker#189, LoadShine/tada#16, public code that holds them
  // Fields without which an answer is another one. A remedy is tried first, where the value may be left out.
  { kind: 'incapable', lacks: 'tools', refuses: ['tools'] }, // LiteLLM, vLLM: BerriAI/litellm#7785, runpod-workers/worker-vllm#85
  // Not tools: servers of today have those.
  { kind: 'incapable', param: 'functions', refuses: ['functions'] }, // LiteLLM, in its words for any field: BerriAI/litellm#8980
  { kind: 'incapable', lacks: 'schema', refuses: ['response_format'] }, // others, in the words for any field: BerriAI/litellm#8980
  { kind: 'incapable', param: 'tool_choice', refuses: ['tool_choice', 'function_call'] }, // LiteLLM: BerriAI/litellm#14704, BerriAI/litellm#25332
  { kind: 'incapable', match: /unsupported value: ['"`](?:tools|tool_choice|response_format)\b/i }, // OpenAI, in its words for any value: CherryHQ/cherry-studio#1403
  { kind: 'incapable', param: 'reasoning_effort', match: /does(?: not|n't) support thinking\b/i }, // Ollama, behind a gateway: ollama/ollama server/routes.go
  { kind: 'incapable', match: /\bUnsupportedParamsError\b/ }, // LiteLLM: BerriAI/litellm#4508, camel-ai/owl#532
  // This schema, or the combination: another server's grammar may know it.
  { kind: 'incapable', match: /json schema (?:contains features )?not supported|function calling with a response mime type/i }, // vLLM, Fireworks, Google: vllm-project/vllm#16321, earendil-works/pi#5352, Simpleyyt/ai-manus#101
  { kind: 'incapable', match: /no endpoints found that (?:can handle|support)/i }, // OpenRouter: evalstate/fast-agent#122
  { kind: 'incapable', match: /do(?:es)? not support (?:chat|generate)$/i }, // Ollama: ollama/ollama#12182, ollama/ollama#2778
  { kind: 'incapable', lacks: 'dimensions', match: /does(?: not|n't) support (?:matryoshka|specifying dimensions|output_dimension)/i }, // vLLM, OpenAI, Mistral: vllm-project/vllm#23435, sbintuitions/JMTEB#14, garrytan/gbrain#3001
  { kind: 'incapable', match: /server does(?: not|n't) support (?:embeddings|(?:chat )?completions)\b|pooling type .none. is not oai compatible/i }, // llama.cpp: ggml-org/llama.cpp tools/server
  // The request can't be put into words for this model. Another model has another template.
  { kind: 'incapable', match: /failed to parse tool call arguments as json|invalid tool call arguments|^\[json\.exception\.(?:parse_error|out_of_range|type_error\.30)/i }, // llama.cpp, Ollama: OpenHands/OpenHands#13949, ggml-org/llama.cpp#25510, containers/ramalama#752
  { kind: 'incapable', match: /jinja exception|unable to generate parser for this template|cannot subscript null at row \d+|conversation roles must alternate|default chat template is no longer allowed|^template error: /i }, // llama.cpp, vLLM, Together: ggml-org/llama.cpp#13178, ggml-org/llama.cpp#20733, QwenLM/Qwen3-Omni#105, 0xPlaygrounds/rig#230

  { kind: 'wrong_endpoint', status: 404, match: /v1\/(?:chat\/)?completions/i }, // OpenAI: egoist/chatwise-releases#1256, sashabaranov/go-openai#126
  { kind: 'wrong_endpoint', status: 400, match: /operation does not work with the specified model|not available on this endpoint/i }, // Azure, xAI: langchain-ai/langchain-azure#228, anomalyco/opencode#34463
  { kind: 'wrong_endpoint', status: [400, 403, 501], match: /not allowed to (?:generate embeddings|sample) from this model|does(?: not|n't) support (?:embeddings|(?:chat )?completions) api/i }, // OpenAI, vLLM: newrelic/node-newrelic test/lib/openai-responses, vllm-project/vllm entrypoints/openai
  // Something else is missing, although the words may tell the model's name too.
  { kind: 'bad_request', status: [400, 404, 422], match: /(?<![\w./-]|requested )(?:(?:conversation|session|thread|(?:response|item) with id|image)s?(?![\w./-]| model)|url:? \W?https?:)(?:(?!\. |(?<!\b(?:for|of|with)(?: the)? )\bmodel\b).){0,200}(?:not found|does not exist|doesn't exist)/i }, // ChatGPT, vLLM, OpenAI: xtekky/gpt4free#1767, BerriAI/litellm#26147, home-assistant/core#175363
  { kind: 'retired', match: /model\b.{0,160}(?:(?:is|was|been) (?:deprecated|decommissioned|retired)|is no longer available)/i }, // OpenAI, Cloudflare, Groq, OCI, Google: hkjang/node-red-contrib-openai#7, cloudflare/cloudflare-docs#32501, RightNow-AI/openfang#60, oracle/ai-optimizer#263, continuedev/continue#12720
  { kind: 'no_live_provider', match: /no endpoints (?:found|available) matching|no allowed providers are available/i }, // OpenRouter: dnakov/anon-kode#13, truefoundry/models#826, cline/cline#5449
  { kind: 'no_live_provider', status: 400, match: /user location is not supported|^failed to load model /i }, // Google, LM Studio: google-gemini/gemini-cli#24641, continuedev/continue#10150
  { kind: 'no_live_provider', status: [400, 500], match: /could not load model - all backends returned error/i }, // LocalAI: mudler/LocalAI#1037
  { kind: 'not_found', match: /no endpoints found for /i }, // OpenRouter: vyancharuk/nodejs-api-boilerplate#16, infiniflow/ragflow#2359
  { kind: 'not_found', match: /\bis not a valid model\b/i }, // OpenRouter: maxnowack/anthropic-proxy#4, OpenRouterTeam/openrouter-examples#74
  { kind: 'not_found', match: /invalid model name \w+ in model=/i }, // LiteLLM: BerriAI/litellm#3142
  { kind: 'not_found', match: /LLM provider not provided/i }, // LiteLLM: OpenHands/OpenHands#786, BerriAI/litellm#6343
  { kind: 'not_found', match: /\bno such model\b/i }, // Cloudflare: cloudflare/cloudflare-docs src/content/docs/workers-ai/platform/errors.mdx
  { kind: 'not_found', match: /there is no 'model_name' with this string/i }, // LiteLLM: a report alone
  { kind: 'not_found', match: /could not find (?:real modelID|suitable inference handler) for /i }, // llama-swap: public code that holds them
  { kind: 'not_found', match: /allowed now, your model /i }, // FastChat: lm-sys/FastChat fastchat/serve/openai_api_server.py
  { kind: 'not_found', match: /模型不存在/ }, // Zhipu: eosphoros-ai/DB-GPT#1093, esengine/DeepSeek-Reasonix#6858
  { kind: 'not_found', match: /not found the model \S+ or permission denied/i }, // Moonshot: mozilla-ai/any-llm#778
  { kind: 'not_found', match: /could not resolve the foundation model/i }, // AWS Bedrock: aws-samples/bedrock-chat#91
  { kind: 'not_found', status: 422, match: /the specified version does not exist/i }, // Replicate: a report alone
  { kind: 'not_found', status: asked, match: /do(?:es not| not|n't) have access to (?:the )?model\b/i }, // OpenAI, others: continuedev/continue#10120
  { kind: 'not_found', status: asked, match: /\bno model matches\b|\bmodel name ["'`]?[\w./:-]+["'`]? is not available/i }, // others: a report alone
  // A closed list of names. Another type than a text is the caller's mistake.
  { kind: 'not_found', status: asked, match: /(?:^|; )model: (?:input should be ["']|(?:value is not a valid enumeration member|unexpected value); permitted)/i }, // servers with pydantic: a report alone
  { kind: 'not_found', match: /no available channels? for model|无可用渠道/i }, // one-api, new-api: songquanpeng/one-api#1494, QuantumNous/new-api#982
  { kind: 'not_found', match: /unable to access (?:non-serverless )?model /i }, // Together: openinterpreter/openinterpreter#1289, HeyPuter/puter#3168
  { kind: 'not_found', match: /provided model identifier is invalid|on-demand throughput|don't have access to the model with/i }, // AWS Bedrock: earendil-works/pi#4993, anomalyco/opencode#396, anthropics/claude-code#536
  { kind: 'not_found', match: /: not found for account |this model requires a subscription/i }, // NVIDIA, Ollama: Alishahryar1/free-claude-code#1021, ollama/ollama#15990
  { kind: 'not_found', status: asked, match: /\b(?:invalid|unknown|unsupported|unrecognized) model(?: name| id(?:entifier)?)?(?:$|:| ["'`]|[.,](?: |$)| [\w.-]*[/\d])/i }, // Mistral, LM Studio, Anthropic: tmc/langchaingo#1233, anthropics/claude-code#3008
  { kind: 'not_found', match: /\bmodel ["'`][^"'`]{1,200}["'`] (?:does not exist|doesn't exist|not found|is not found|was not found)/i }, // vLLM, SGLang: vllm-project/vllm#3486, runpod-workers/worker-vllm#57
  // An answer about a missing path says nothing of models.
  { kind: 'not_found', status: 404, match: /model|deployment/i }, // Azure, Fireworks: chatboxai/chatbox#646, warpdotdev/warp#15107
  { kind: 'not_found', status: [400, 422], match: /model (?:(?!\. ).){0,200}(not found|does not exist|not exist)|model_not_found|requested model (?:\S+ )?is not supported/i }, // DeepSeek, Hugging Face, Copilot: deepwn/addi#13, cline/cline#5098, decolua/9router#470

  // A limit that no answer of the model may have, however short the prompt is.
  { kind: 'bad_request', param: 'max_tokens', match: /\bmax_(?:completion_|output_)?tokens\b.{0,200}(?:maximum allowed number of output tokens|at most \d+ completion tokens|less than the [`']?context_window|context window for output)/i }, // Anthropic, OpenAI, Groq: anthropics/claude-code#24451, ChatGPTNextWeb/NextChat#3195, anomalyco/opencode#1000
  { kind: 'bad_request', param: 'max_tokens', match: /maximum tokens you requested exceeds? the model limit/i }, // AWS Bedrock: RooCodeInc/Roo-Code#248, charmbracelet/crush#946
  { kind: 'context_length', match: /context_length_exceeded|maximum context length|context (size|window)|exceed_context_size|context length|prompt is too long/i }, // OpenAI, vLLM, llama.cpp, Anthropic: vllm-project/vllm#20409, earendil-works/pi#102
  { kind: 'context_length', match: /input token count.{0,40}(?:exceeds the maximum number of tokens|model only supports)/i }, // Google: earendil-works/pi packages/ai/src/utils/overflow.ts
  { kind: 'context_length', match: /maximum prompt length is/i }, // xAI: earendil-works/pi packages/ai/src/utils/overflow.ts
  { kind: 'context_length', match: /input prompt \(\d+ tokens\) is too long/i }, // vLLM: vllm-project/vllm#10440
  { kind: 'context_length', match: /input is too long for (?:the )?requested model/i }, // AWS Bedrock: earendil-works/pi packages/ai/src/utils/overflow.ts
  { kind: 'context_length', match: /exceeded model token limit|model max length exceeded/i }, // Moonshot: MoonshotAI/kimi-cli#2011, MoonshotAI/MoonshotAI-Cookbook#18
  { kind: 'context_length', match: /exceed context limit: \d/i }, // Anthropic: anthropics/claude-code#476
  { kind: 'context_length', match: /.inputs.{0,40}must (?:have less than|be <=) \d+/i }, // TGI: huggingface/text-generation-inference#695, barun-saha/slide-deck-ai#44
  { kind: 'context_length', match: /input length.{0,40}exceeds the maximum (?:allowed )?(?:input )?length|longer than the maximum model length/i }, // SGLang, Poolside, Volcengine, vLLM: sgl-project/sglang#4048, langgenius/dify#32221
  { kind: 'context_length', match: /prompt token count of \d+ exceeds the limit/i }, // Copilot: microsoft/vscode#289514
  { kind: 'context_length', match: /range of input length should be|prompt exceeds max length/i }, // DashScope, Zhipu: QwenLM/qwen-code#98, farion1231/cc-switch#6982
  { kind: 'context_length', match: /please reduce the length of (?:the|your) (?:messages|input|prompt)/i }, // Groq, Cerebras: OpenHands/OpenHands#1902, cline/cline#5140
  { kind: 'context_length', match: /is too large to process\. increase the physical batch size/i }, // llama.cpp, for texts to embed: ggml-org/llama.cpp tools/server
  { kind: 'context_length', match: /too many (?:input |prompt )?tokens: /i }, // Cohere: cohere-ai/sandbox-topically#4
  { kind: 'context_length', match: /input tokens exceeded\b|number of input tokens exceeds maximum length/i }, // AWS Bedrock: public code that holds them
  // Characters, and of the texts alone: a tool's name may be too long as well.
  { kind: 'context_length', match: /malformed input request: (?:#\/(?:texts|inputText|prompt)[^:]{0,40}: )?expected maxLength: \d+, actual: \d/i }, // AWS Bedrock: public code that holds them
  { kind: 'context_length', match: /prompt token count \(\d+\) cannot exceed \d/i }, // Databricks: a report alone
  { kind: 'context_length', match: /should not exceed max_num_tokens|prompt length \([\d.]+\) exceeds maximum input length/i }, // TensorRT-LLM: public code that holds them
  { kind: 'context_length', match: /input tokens \d+ cannot exceed the total tokens limit/i }, // watsonx: public code that holds them
  { kind: 'context_length', match: /\bmax tokens of \d+ exceeded|prompt length \d+ is greater than max_seq_len/i }, // Snowflake, TabbyAPI: a report alone
  { kind: 'context_length', match: /prompt 超长/i }, // Zhipu: a report alone
  { kind: 'context_length', match: /tokens of image and text exceed max message tokens|image and text tokens exceed max message tokens/i }, // Volcengine: public code that holds them
  { kind: 'context_length', match: /input length \d+ exceeds maximum allowed token size/i }, // NVIDIA: public code that holds them
  { kind: 'context_length', match: /\binputs too long\b|\b(?:input|prompt) (?:is )?too long: \d|prompt tokens \(\d+\) exceed the model limit|(?<!max_tokens\b.{0,60})exceed the model['’]s token limit/i }, // others: a report alone

  { kind: 'content_policy', match: /content_filter|content (?:management|filtering) policy|rejected (?:as a result of our|by the) safety system|potentially violating our usage policy/i }, // Azure, Anthropic, OpenAI: openai/openai-python#331, anthropics/claude-code#58367, songquanpeng/one-api#737, theopenco/llmgateway#2110, alan-turing-institute/t0-1#69
  { kind: 'content_policy', match: /requires moderation on .{1,80}input was flagged|content violates usage guidelines|content exists risk|may contain inappropriate content/i }, // OpenRouter, xAI, DeepSeek, DashScope: cline/cline#569, UKGovernmentBEIS/inspect_ai#2267, deepseek-ai/awesome-deepseek-integration#13, QwenLM/qwen-code#2905
  { kind: 'content_policy', match: /requires moderation\b.{0,80}\bflagged|\b(?:input|prompt|request|content|message)s? (?:(?:was|were|has been|have been) )?flagged\b/i }, // OpenRouter: cline/cline#569
  { kind: 'content_policy', match: /不安全或敏感内容/ }, // Zhipu: a report alone
  { kind: 'content_policy', match: /\bblocked: ?PROHIBITED_CONTENT\b/i }, // Google: public code that holds them
  { kind: 'overloaded', status: 400, match: /degraded function cannot be invoked/i }, // NVIDIA: Alishahryar1/free-claude-code#1012
  { kind: 'loading', status: 503, match: /loading/i }, // llama.cpp, Hugging Face: mostlygeek/llama-swap#146, huggingface/transformers#32665
  { kind: 'bad_request', match: /^input validation error/i }, // TGI: huggingface/text-generation-inference#2749
  { kind: 'bad_request', code: ['base_resp.2013'] }, // MiniMax: https://platform.minimax.io/docs/api-reference/errorcode
]
