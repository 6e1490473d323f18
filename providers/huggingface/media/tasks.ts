import { sleep } from '../../../src/core/clock.ts'
import type { ServedRequest } from '../../../src/core/served.ts'
import { isObject, type JsonObject, objectAt, stringAt } from '../../../src/wire/json.ts'
import { failed, fetched, jsonOf, malformed, posted } from '../../exchange.ts'
import type { Route } from './route.ts'

/** Milliseconds between two looks at a task that takes longer than a request. The timeouts of the attempt end it. */
const pause = 500

/** Looks again until `isOver`. */
async function awaited(
  request: ServedRequest,
  url: string,
  isOver: (answer: JsonObject) => boolean,
): Promise<JsonObject> {
  for (;;) {
    const answer = await jsonOf(await fetched(request, { url }))
    if (isOver(answer)) return answer
    await sleep(request.clock, pause, request.signal)
  }
}

/** The path of an address at the provider's own host: the router has the same below its name. */
function pathIn(url: unknown): string {
  if (typeof url !== 'string' || !URL.canParse(url)) throw malformed('no address of the result')
  return new URL(url).pathname
}

/** A task in fal's queue. https://docs.fal.ai/model-endpoints/queue */
export async function falQueue(request: ServedRequest, { root, model }: Route, body: JsonObject): Promise<JsonObject> {
  const query = '?_subdomain=queue'
  const queued = await jsonOf(await posted(request, `${root}/${model}${query}`, body))
  const result = root + pathIn(queued.response_url)
  if (queued.status !== 'COMPLETED') {
    await awaited(
      request,
      `${result}/status${query}`,
      ({ status }) => status !== 'IN_QUEUE' && status !== 'IN_PROGRESS',
    )
  }
  return await jsonOf(await fetched(request, { url: result + query }))
}

/**
 * What a prediction of Replicate comes to: it waits up to a minute before it answers without.
 * https://replicate.com/docs/reference/http#predictions.create
 */
export async function prediction(request: ServedRequest, { root, model }: Route, input: JsonObject): Promise<unknown> {
  const [, version] = model.split(':')
  const url = version === undefined ? `${root}/v1/models/${model}/predictions` : `${root}/v1/predictions`
  const first = await jsonOf(
    await posted(request, url, { input, ...(version !== undefined && { version }) }, { prefer: 'wait' }),
  )
  const isOver = ({ status }: JsonObject) => status !== 'starting' && status !== 'processing'
  const id = stringAt(first, 'id') ?? ''
  if (!isOver(first) && !/^\w+$/.test(id)) throw malformed('a prediction without an id')
  const answer = isOver(first) ? first : await awaited(request, `${root}/v1/predictions/${id}`, isOver)
  if (answer.status === 'failed' || answer.status === 'canceled') throw failed(answer.error)
  return answer.output
}

/** The outputs of a task of WaveSpeed. https://wavespeed.ai/docs */
export async function waveSpeed(request: ServedRequest, { root, model }: Route, body: JsonObject): Promise<unknown> {
  const queued = await jsonOf(await posted(request, `${root}/api/v3/${model}`, body))
  const result = root + pathIn(objectAt(objectAt(queued, 'data'), 'urls')?.get)
  const { data } = await awaited(request, result, ({ data }) => {
    const status = isObject(data) ? data.status : undefined
    return status !== 'created' && status !== 'processing'
  })
  if (!isObject(data) || data.status !== 'completed') throw failed(objectAt({ data }, 'data')?.error)
  return data.outputs
}
