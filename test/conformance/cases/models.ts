import type { Ask, Cases, Got } from '../cells.ts'

/** A list, and one model whose name holds a slash: written into the path in both ways that clients do it. */
const list: Ask = { about: 'the list', upstream: 'chat', check: hasModels }
const one: Ask = { about: 'one of them', upstream: 'chat', path: '/models/{model}' }

function hasModels({ text }: Got): string | undefined {
  const { data } = JSON.parse(text) as { data: { id: string }[] }
  return data.length > 0 && data.every(({ id }) => id !== '') ? undefined : 'it is empty'
}

export const modelsCases: Cases = {
  plain: () => [list, one, { ...one, encoded: true }],
  errors: () => [
    {
      about: 'a missing model',
      upstream: 'chat',
      path: '/models/no-such-model',
      refusal: { status: 404, code: 'model_not_found' },
    },
  ],
}
