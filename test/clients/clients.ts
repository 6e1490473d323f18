/** A client of OpenAI's API, and how it is run: `js/main.js` and `python/main.py` do the same tasks. */
export type Client =
  | {
      readonly title: string
      readonly js: string
      /** The folder beside this file in which it is installed, where that is one of its own. */
      readonly folder?: string
    }
  /** `requirement`: what pip installs, with blanks in between. */
  | { readonly title: string; readonly python: string; readonly requirement: string }

/** `ollama` is missing: it speaks Ollama's own API, which the gateway does not serve. */
export const clients: readonly Client[] = [
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
  { title: 'LangChain JS', js: 'langchain' },
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
]
