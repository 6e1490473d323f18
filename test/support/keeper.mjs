// A program that uses the npm package, and keeps keys in a file.
import { createGateway } from 'samewire'

const admin = 'sk-admin-0123456789abcdef'

async function send(gateway, method, path, key, body) {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` }
  const init = { method, headers, ...(body && { body: JSON.stringify(body) }) }
  return await (await gateway.fetch(new Request(`http://localhost/v1${path}`, init))).json()
}

function open() {
  const config = { providers: { demo: { type: 'embedded' } }, state: { url: 'file:kept.db' } }
  return createGateway(config, { env: { SAMEWIRE_ADMIN_KEY: admin }, log() {} })
}

const first = open()
const { key } = await send(first, 'POST', '/keys', admin, { name: 'Ada' })
await first.close()
const second = open()
await second.ready()
const messages = [{ role: 'user', content: 'hi' }]
const answer = await send(second, 'POST', '/chat/completions', key, {
  model: 'demo/tiny-chat',
  temperature: 0,
  messages,
})
console.log(answer.choices[0].message.content)
// Nothing keeps the program from ending then.
await second.close()
