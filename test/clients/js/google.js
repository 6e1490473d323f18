import { GoogleGenAI } from '@google/genai'

/** Google's own client for Gemini. */
export function program({ origin, apiKey }) {
  const httpOptions = { baseUrl: origin, retryOptions: { attempts: 1 } }
  const { models } = new GoogleGenAI({ apiKey, httpOptions })
  const bodyOf = ({ model, prompt }, config) => ({ model, contents: prompt, config: { temperature: 0, ...config } })
  const chat = async (ask) => (await models.generateContent(bodyOf(ask))).text
  const stream = async (ask) => {
    const texts = []
    for await (const { text } of await models.generateContentStream(bodyOf(ask))) if (text) texts.push(text)
    return texts
  }
  return {
    chat,
    stream,
    async tools(ask) {
      const { functionCalls } = await models.generateContent(bodyOf(ask, { tools: [declared(ask)] }))
      return functionCalls.map(({ name, args }) => ({ name, arguments: args }))
    },
    async loop({ result, ...ask }) {
      const answer = ({ id, name }) => ({ functionResponse: { id, name, response: { output: result } } })
      const tool = { tool: async () => declared(ask), callTool: async (calls) => calls.map(answer) }
      return (await models.generateContent(bodyOf(ask, { tools: [tool] }))).text
    },
    async schema({ schema, ...ask }) {
      const config = { responseMimeType: 'application/json', responseJsonSchema: schema }
      return JSON.parse((await models.generateContent(bodyOf(ask, config))).text)
    },
    async embeddings({ model, input }) {
      return (await models.embedContent({ model, contents: input })).embeddings.map(({ values }) => values)
    },
    async count({ model, prompt }) {
      return (await models.countTokens({ model, contents: prompt })).totalTokens
    },
    async models() {
      const names = []
      for await (const { name } of await models.list()) names.push(name.replace('models/', ''))
      return names
    },
    error: chat,
    missing: chat,
    broken: stream,
    told,
  }
}

const declared = ({ name, description, parameters }) => ({
  functionDeclarations: [{ name, description, parametersJsonSchema: parameters }],
})

/** An answer of the API comes with its JSON in the message. */
function told({ status, message }) {
  if (status === undefined) return {}
  const { error } = JSON.parse(message.slice(message.indexOf('{')))
  return { status, code: error.status, message: error.message }
}
