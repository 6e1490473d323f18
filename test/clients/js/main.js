import { asks } from './asks.js'

/**
 * Runs one client through all tasks against the gateway: `node main.js CLIENT BASE_URL`. Prints one JSON line a task:
 * `{task, got}`, `{task, thrown: {status, code, message}}` as the client tells it, or `{task, cannot}`.
 */
const programs = {
  openai3: () => import('./openai3.js').then(({ program }) => program),
  openai4: () => official('openai4'),
  openai5: () => official('openai5'),
  openai6: () => official('openai6'),
  openai7: () => official('openai'),
  'openai5-responses': () => official('openai5', './openai-responses.js'),
  'openai6-responses': () => official('openai6', './openai-responses.js'),
  'openai7-responses': () => official('openai', './openai-responses.js'),
  'openai-edge': () => import('./openai-edge.js').then(({ program }) => program),
  'ai-sdk-compatible': () => import('./ai-sdk.js').then(({ compatible }) => compatible),
  'ai-sdk-openai': () => import('./ai-sdk.js').then(({ openai }) => openai),
  'ai-sdk-responses': () => import('./ai-sdk.js').then(({ responses }) => responses),
  'agents-chat': () => import('./agents.js').then(({ chat }) => chat),
  'agents-responses': () => import('./agents.js').then(({ responses }) => responses),
  codex: () => import('./codex.js').then(({ program }) => program),
  'claude-code': () => import('./claude-code.js').then(({ program }) => program),
  'gemini-cli': () => import('./gemini-cli.js').then(({ program }) => program),
  opencode: () => import('./opencode.js').then(({ program }) => program),
  'qwen-code': () => import('./qwen-code.js').then(({ program }) => program),
  'ai-sdk-anthropic': () => import('./ai-sdk.js').then(({ anthropic }) => anthropic),
  'ai-sdk-google': () => import('./ai-sdk.js').then(({ google }) => google),
  'ai-sdk-ollama': () => import('./ai-sdk.js').then(({ ollama }) => ollama),
  'langchain-openai': () => import('./langchain.js').then(({ openai }) => openai),
  'langchain-anthropic': () => import('./langchain.js').then(({ anthropic }) => anthropic),
  'langchain-ollama': () => import('./langchain.js').then(({ ollama }) => ollama),
  anthropic: () => import('./anthropic.js').then(({ program }) => program),
  google: () => import('./google.js').then(({ program }) => program),
  ollama: () => import('./ollama.js').then(({ program }) => program),
  llamaindex: () => import('./llamaindex.js').then(({ program }) => program),
  instructor: () => import('./instructor.js').then(({ program }) => program),
  huggingface: () => import('./huggingface.js').then(({ program }) => program),
}

async function official(name, api = './openai.js') {
  const [{ default: OpenAI }, { programOf }] = await Promise.all([import(name), import(api)])
  return programOf(OpenAI)
}

async function outcome(client, task) {
  const cannot = client.cannot?.[task] ?? (client[task] ? undefined : `has no ${task}`)
  if (cannot) return { cannot }
  try {
    return { got: await client[task](asks[task]) }
  } catch (error) {
    return { thrown: { message: String(error?.message ?? error), ...client.told(error) } }
  }
}

const [name = '', baseURL = ''] = process.argv.slice(2)
const client = (await programs[name]())({ baseURL, origin: new URL(baseURL).origin, apiKey: 'sk-any' })
for (const task of Object.keys(asks)) console.log(JSON.stringify({ task, ...(await outcome(client, task)) }))
// Some clients keep connections, or timers, that would hold the process.
process.exit(0)
