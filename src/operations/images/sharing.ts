import type { Sharing } from '../../core/operation.ts'
import { edited, invalid } from '../../wire/body.ts'
import { FormBody } from '../../wire/form-body.ts'
import { isObject } from '../../wire/json.ts'
import { addedUsage } from '../common/usage.ts'

/** As many as OpenAI makes at once. */
const most = 10

/** Shares out the images of a request. A stream, which has one image, and a form stay as they are. */
export const sharingImages: Sharing = {
  param: 'n',
  concerns: ({ outline }) => typeof outline.n === 'number' && outline.n > 1,
  split(body, { choices: atOnce }) {
    const { n, stream } = body.outline
    if (atOnce === undefined || typeof n !== 'number' || n <= atOnce) return undefined
    if (stream === true || body instanceof FormBody) return undefined
    if (n > most) {
      const message = `Invalid 'n': integer above maximum value. Expected a value <= ${most}, but got ${n} instead.`
      throw invalid(message, 'n', 'integer_above_max_value')
    }
    const part = (count: number, at: number) => {
      const { seed } = body.outline
      const set = new Map([['n', JSON.stringify(count)]])
      // With the same seed all images would be the same.
      if (typeof seed === 'number') set.set('seed', JSON.stringify(seed + at))
      return edited(body, { set })
    }
    return Array.from({ length: Math.ceil(n / atOnce) }, (_, at) => part(Math.min(atOnce, n - at * atOnce), at))
  },
  join(answers) {
    const usage = answers.map((answer) => answer.usage).reduce(addedUsage, undefined)
    const data = answers.flatMap(({ data }) => (Array.isArray(data) ? data : []))
    return { ...answers[0], data, ...(isObject(usage) && { usage }) }
  },
}
