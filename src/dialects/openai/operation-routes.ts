import type { Operation } from '../../core/operation.ts'
import { chat } from '../../operations/chat.ts'
import { type RequestBody, renamed } from '../../wire/body.ts'
import type { Address, InferenceRequest, InferenceRoute } from '../dialect.ts'
import { isReworded } from './cursor-signs.ts'
import { wordsOn } from './words.ts'

export const explainAddress = { method: 'POST', path: '/explain' } as const

/** Where requests for an operation arrive. */
export function addressesOf({
  routes,
  path,
}: Pick<Operation, 'routes' | 'path'>): readonly (Address & { method: 'POST' })[] {
  // Azure's paths: what is a deployment there is a model here.
  const paths = routes.length === 0 ? [] : [...routes, `/openai/deployments/{model}${path}`]
  return paths.map((path) => ({ method: 'POST', path }))
}

export function routesOf(operation: Operation): readonly InferenceRoute[] {
  return addressesOf(operation).map((address) => ({
    ...address,
    ...(operation.forms && { forms: true }),
    request(given: RequestBody, model) {
      const named = model ?? given.model ?? operation.usualModel
      const asked = named === undefined ? given : renamed(given, named)
      if (operation === chat && isReworded(asked)) return rewordedChat(asked)
      operation.check(asked)
      return { operation, body: asked }
    },
    refuse: wordsOn(address.path),
  }))
}

async function rewordedChat(asked: RequestBody): Promise<InferenceRequest> {
  const { chatOf } = await import('./cursor.ts')
  const { body, dropped } = chatOf(asked)
  chat.check(body)
  return { operation: chat, body, dropped }
}
