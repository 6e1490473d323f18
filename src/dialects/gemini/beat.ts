import type { Beat } from '../../core/operation.ts'

/**
 * To google-genai-python and go-genai a comment is an event that is no JSON. An empty event is nothing to them, nor to
 * @google/genai and AI SDK.
 */
export const beat: Beat = { bytes: new TextEncoder().encode('\n\n'), comments: false }
