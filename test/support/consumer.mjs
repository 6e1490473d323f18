// A program that uses the npm package: on Bun and Deno by their servers, else without one.
import { createGateway } from 'samewire'

const gateway = createGateway({}, { access: 'open', log() {} })
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
if (server) await (server.stop ?? server.shutdown).call(server)
