import { defineConfig } from './src/config/schema.ts'

// With nothing in it, samewire serves what it finds: OPENAI_API_KEY, HF_TOKEN, OLLAMA_HOST or an Ollama that listens
// on its default port, and the model that it carries when there is none of these. README.md shows what can stand here.
export default defineConfig({})
