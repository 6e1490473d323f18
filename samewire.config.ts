import { defineConfig } from './src/config/schema.ts'

// An empty configuration serves what is available: OPENAI_API_KEY, HF_TOKEN, OLLAMA_HOST or an Ollama on its default
// port. Without any of these the embedded model answers. README.md shows all settings.
export default defineConfig({})
