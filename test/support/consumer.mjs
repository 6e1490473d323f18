// A program that uses the npm package: on Bun and Deno by their servers, else without one.
import { createServer } from 'node:http'
import { createGateway } from 'samewire'

/** A provider that never comes to an end unless it is stopped. */
const stopped = Promise.withResolvers()
const provider = createServer((request, response) => {
  if (request.method === 'GET') return response.writeHead(404).end()
  const chunk = { id: 'c', object: 'chat.completion.chunk', created: 1, model: 'slow' }
  const choices = [{ index: 0, delta: { role: 'assistant', content: 'Hello' }, finish_reason: null }]
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.write(`data: ${JSON.stringify({ ...chunk, choices })}\n\n`)
  response.on('close', stopped.resolve)
})
await new Promise((listening) => provider.listen(0, '127.0.0.1', listening))

const lab = { type: 'openai-compatible', baseURL: `http://127.0.0.1:${provider.address().port}` }
const gateway = createGateway({ providers: { demo: { type: 'embedded' }, lab } }, { access: 'open', log() {} })
const { Bun, Deno } = globalThis
const server = Bun?.serve({ port: 0, ...gateway }) ?? Deno?.serve({ port: 0, onListen() {} }, gateway.fetch)
const port = server ? (server.port ?? server.addr.port) : undefined
const ask = port === undefined ? gateway.fetch : fetch

async function chat(more) {
  const body = { model: 'demo/tiny-chat', temperature: 0, messages: [{ role: 'user', content: 'hi' }], ...more }
  const headers = { 'content-type': 'application/json' }
  const url = `http://localhost:${port ?? 80}/v1/chat/completions`
  return await ask(new Request(url, { method: 'POST', headers, body: JSON.stringify(body) }))
}

const whole = (await (await chat({})).json()).choices[0].message.content
const events = (await (await chat({ stream: true })).text()).trim().split('\n\n')
if (events.pop() !== 'data: [DONE]') throw new Error('the stream has no end')
const words = events.map((event) => JSON.parse(event.slice(6)).choices[0]?.delta.content ?? '')
console.log([whole, words.join('')].join('\n'))

// A client that leaves stops the provider.
const reader = (await chat({ model: 'lab/slow', stream: true })).body.getReader()
await reader.read()
await reader.cancel()
await stopped.promise

if (server) await (server.stop ?? server.shutdown).call(server)
provider.close()
