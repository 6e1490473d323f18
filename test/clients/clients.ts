/** The API that a client speaks. */
export type Api = 'openai' | 'anthropic' | 'gemini' | 'ollama'

/** A client of the gateway, and how it is run: `js/main.js` and `python/main.py` do the same tasks. */
export type Client = { readonly title: string; readonly api: Api } & (
  | {
      readonly js: string
      /** The folder beside this file in which it is installed, where that is one of its own. */
      readonly folder?: string
    }
  /** `requirement`: what pip installs, with blanks in between. */
  | { readonly python: string; readonly requirement: string }
)

const openai: readonly Client[] = [
  { title: 'openai 3', js: 'openai3' },
  { title: 'openai 4', js: 'openai4' },
  { title: 'openai 5', js: 'openai5' },
  { title: 'openai 6', js: 'openai6' },
  { title: 'openai 7', js: 'openai7' },
  { title: 'openai 5, responses', js: 'openai5-responses' },
  { title: 'openai 6, responses', js: 'openai6-responses' },
  { title: 'openai 7, responses', js: 'openai7-responses' },
  { title: 'AI SDK, openai-compatible', js: 'ai-sdk-compatible' },
  { title: 'AI SDK, openai, chat', js: 'ai-sdk-openai' },
  { title: 'AI SDK, openai, responses', js: 'ai-sdk-responses' },
  { title: 'OpenAI Agents, chat', js: 'agents-chat' },
  { title: 'OpenAI Agents, responses', js: 'agents-responses' },
  { title: 'Codex CLI', js: 'codex', folder: 'codex' },
  { title: 'opencode', js: 'opencode', folder: 'opencode' },
  { title: 'Qwen Code', js: 'qwen-code', folder: 'qwen-code' },
  { title: 'LangChain JS, ChatOpenAI', js: 'langchain-openai' },
  { title: 'LlamaIndex', js: 'llamaindex' },
  { title: 'instructor', js: 'instructor' },
  { title: 'openai-edge', js: 'openai-edge' },
  { title: '@huggingface/inference', js: 'huggingface' },
  { title: 'openai-python 0.27', python: 'openai_of_2023', requirement: 'openai==0.27.10 numpy' },
  { title: 'openai-python 1', python: 'openai_client', requirement: 'openai==1.109.1' },
  { title: 'openai-python 2', python: 'openai_client', requirement: 'openai==2.54.0' },
  { title: 'openai-python 3', python: 'openai_client', requirement: 'openai==3.57.0' },
  { title: 'openai-python 1, responses', python: 'openai_responses', requirement: 'openai==1.109.1' },
  { title: 'openai-python 2, responses', python: 'openai_responses', requirement: 'openai==2.54.0' },
  { title: 'openai-python 3, responses', python: 'openai_responses', requirement: 'openai==3.57.0' },
  { title: 'langchain-openai', python: 'langchain_client', requirement: 'langchain-openai==1.7.4' },
].map((client) => ({ ...client, api: 'openai' }))

const anthropic: readonly Client[] = [
  { title: '@anthropic-ai/sdk', js: 'anthropic' },
  { title: 'AI SDK, anthropic', js: 'ai-sdk-anthropic' },
  { title: 'LangChain JS, ChatAnthropic', js: 'langchain-anthropic' },
  { title: 'Claude Code', js: 'claude-code', folder: 'claude-code' },
  { title: 'anthropic-python 2', python: 'anthropic_client', requirement: 'anthropic==2.14.0' },
].map((client) => ({ ...client, api: 'anthropic' }))

const gemini: readonly Client[] = [
  { title: '@google/genai', js: 'google' },
  { title: 'AI SDK, google', js: 'ai-sdk-google' },
  { title: 'Gemini CLI', js: 'gemini-cli', folder: 'gemini-cli' },
  { title: 'google-genai-python 3', python: 'google_client', requirement: 'google-genai==3.6.1' },
].map((client) => ({ ...client, api: 'gemini' }))

const ollama: readonly Client[] = [
  { title: 'ollama-js', js: 'ollama' },
  { title: 'AI SDK, ollama', js: 'ai-sdk-ollama' },
  { title: 'LangChain JS, ChatOllama', js: 'langchain-ollama' },
  { title: 'ollama-python', python: 'ollama_client', requirement: 'ollama==0.6.3' },
].map((client) => ({ ...client, api: 'ollama' }))

export const clients: readonly Client[] = [...openai, ...anthropic, ...gemini, ...ollama]
