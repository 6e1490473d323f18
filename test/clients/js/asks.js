import { readFileSync } from 'node:fs'

/** What every client is to ask, by task. Python's clients read the same file. */
export const asks = JSON.parse(readFileSync(new URL('../asks.json', import.meta.url), 'utf8'))
// Longer than the model can read.
asks.error.prompt = asks.error.prompt.repeat(4_000)

export const user = (prompt) => [{ role: 'user', content: prompt }]
export const functionTool = ({ name, description, parameters }) => ({
  type: 'function',
  function: { name, description, parameters },
})
export const functionOf = (ask) => functionTool(ask).function
export const jsonSchema = ({ name, schema }) => ({ type: 'json_schema', json_schema: { name, strict: true, schema } })

/** Tool calls of OpenAI's format as the tasks expect them. */
export const callsIn = (calls = []) =>
  calls.map(({ function: called }) => ({ name: called.name, arguments: JSON.parse(called.arguments) }))

/** A call of 2023's format, alike. */
export const calledIn = ({ name, arguments: given }) => ({ name, arguments: JSON.parse(given) })

/** The texts of a stream of chunks. Throws what the client throws. */
export async function textsOf(chunks) {
  const texts = []
  for await (const { choices } of chunks) {
    const text = choices[0]?.delta?.content
    if (text) texts.push(text)
  }
  return texts
}

/** The chunks of a raw event stream, for clients that leave its reading to their callers. */
export async function* chunksOf(bytes) {
  let text = ''
  const decoder = new TextDecoder()
  for await (const piece of bytes) {
    text += decoder.decode(piece, { stream: true })
    const frames = text.split('\n\n')
    text = frames.pop() ?? ''
    for (const data of frames.flatMap((frame) => frame.match(/^data: (.*)$/m)?.[1] ?? [])) {
      if (data === '[DONE]') return
      const chunk = JSON.parse(data)
      if (chunk.error) throw Object.assign(new Error(chunk.error.message), chunk.error)
      yield chunk
    }
  }
  throw new Error('the stream ended without [DONE]')
}
