import type { ProviderDefinition } from '../src/core/provider.ts'
import anthropic from './anthropic.ts'
import deepseek from './deepseek.ts'
import embedded from './embedded.ts'
import fireworks from './fireworks.ts'
import gemini from './gemini.ts'
import groq from './groq.ts'
import huggingface from './huggingface.ts'
import llamacpp from './llamacpp.ts'
import lmstudio from './lmstudio.ts'
import mistral from './mistral.ts'
import ollama from './ollama.ts'
import openai from './openai.ts'
import openaiCompatible from './openai-compatible.ts'
import openrouter from './openrouter.ts'
import together from './together.ts'
import vllm from './vllm.ts'

const definitions: readonly ProviderDefinition[] = [
  openai,
  anthropic,
  huggingface,
  ollama,
  openaiCompatible,
  groq,
  together,
  fireworks,
  openrouter,
  deepseek,
  mistral,
  gemini,
  vllm,
  llamacpp,
  lmstudio,
  embedded,
]

/** All providers by `type`. A new provider needs an import and an entry in `definitions`. */
export const registry: Readonly<Record<string, ProviderDefinition>> = Object.fromEntries(
  definitions.map((definition) => [definition.type, definition]),
)
