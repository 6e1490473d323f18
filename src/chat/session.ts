import OpenAI from 'openai'

export interface Message {
  readonly role: 'user' | 'assistant'
  readonly content: string
}

/** The state of a chat. */
export interface Session {
  /** Undefined until the gateway has been reached. */
  model: string | undefined
  system: string | undefined
  messages: readonly Message[]
}

export function createSession(model: string | undefined): Session {
  return { model, system: undefined, messages: [] }
}

/** The first model that the gateway lists. Rejects when the gateway can't be reached. */
export async function defaultModel(client: OpenAI): Promise<string> {
  try {
    const { data } = await client.models.list()
    return data[0]?.id ?? usualModel
  } catch (error) {
    if (error instanceof OpenAI.APIConnectionError) throw error
    return usualModel
  }
}

/** The model that programs of 2023 use. */
const usualModel = 'gpt-3.5-turbo'
