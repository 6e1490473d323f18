/** OpenAI's own client with the API that it recommends since version 5: responses. */
export const programOf = (OpenAI) => (options) => {
  const { responses } = new OpenAI({ ...options, maxRetries: 0 })
  const bodyOf = ({ model, prompt }) => ({ model, input: prompt, temperature: 0 })
  const chat = async (ask) => (await responses.create(bodyOf(ask))).output_text
  const stream = async (ask) => {
    const texts = []
    const events = responses.stream(bodyOf(ask))
    for await (const event of events) {
      if (event.type === 'response.output_text.delta') texts.push(event.delta)
      if (event.type === 'response.failed') throw new Error(event.response.error.message)
    }
    const { output } = await events.finalResponse()
    const whole = output.flatMap(({ content = [] }) => content.map(({ text }) => text)).join('')
    return whole === texts.join('') ? texts : [...texts, `, and then: ${whole}`]
  }
  return {
    chat,
    stream,
    async tools({ name, description, parameters, ...ask }) {
      const tools = [{ type: 'function', name, description, parameters, strict: true }]
      const { output } = await responses.create({ ...bodyOf(ask), tools })
      return callsIn(output)
    },
    async loop({ name, description, parameters, result, ...ask }) {
      const tools = [{ type: 'function', name, description, parameters, strict: true }]
      const { input, ...body } = { ...bodyOf(ask), tools }
      const asked = [{ role: 'user', content: input }]
      const { output } = await responses.create({ ...body, input: asked })
      const calls = output.filter(({ type }) => type === 'function_call')
      const results = calls.map(({ call_id }) => ({ type: 'function_call_output', call_id, output: result }))
      return (await responses.create({ ...body, input: [...asked, ...output, ...results] })).output_text
    },
    async schema({ name, schema, ...ask }) {
      const text = { format: { type: 'json_schema', name, strict: true, schema } }
      return (await responses.parse({ ...bodyOf(ask), text })).output_parsed
    },
    error: chat,
    missing: chat,
    broken: stream,
    cannot: { functions: 'has no functions in responses', embeddings: 'is the same client as above' },
    told: ({ status, code, message }) => ({ status, code, message }),
  }
}

const callsIn = (output) =>
  output
    .filter(({ type }) => type === 'function_call')
    .map(({ name, arguments: given }) => ({ name, arguments: JSON.parse(given) }))
