import type { Services } from '../../core/services.ts'
import { Abort } from '../../core/signal.ts'
import { asGatewayError, describeCause } from '../../wire/errors.ts'
import { differenceOf, type Metric, type Tally } from '../metrics/metric.ts'
import { allOf, genAiMetrics } from '../metrics/names.ts'
import { ownMetrics } from '../metrics/own-names.ts'
import { delivered } from './delivery.ts'
import { metricsJSON } from './json/metrics.ts'
import type { MetricsSettings } from './metrics-settings.ts'
import { metricsProtobuf } from './protobuf/metrics.ts'
import { send } from './send.ts'
import { Troubles } from './troubles.ts'

/** How often the same is sent. What fails is in the next export as well. */
const tries = 3

/** What becomes of them where there is no next export. */
const lost = ' since the last export were lost'

export interface ExporterOptions {
  readonly settings: MetricsSettings
  /** What tells this gateway from others that send to the same collector. */
  readonly instance: string
  /** What was counted so far, by all processes. */
  readonly gather: () => Promise<Tally>
  readonly services: Pick<Services, 'clock' | 'random' | 'transport' | 'log'>
}

/** Tells a collector what was counted, again and again. Begins when it is made. */
export class MetricsExporter {
  readonly #options: ExporterOptions
  readonly #metrics: readonly Metric[]
  readonly #resource: Readonly<Record<string, string>>
  readonly #troubles: Troubles
  #stopTimer: () => void
  #working: Promise<void> | undefined
  #hurry = new Abort()
  #isClosing = false
  /** When the time that the next export tells of begins, in milliseconds since 1970. */
  #since: number
  /** What the collector has been told, if it is told each thing but once. */
  #told: Tally | undefined

  constructor(options: ExporterOptions) {
    const { settings, services, instance } = options
    this.#options = options
    this.#metrics = [...Object.values(ownMetrics), ...allOf(genAiMetrics(settings.latestNames ? 'latest' : 'usual'))]
    this.#resource = { 'service.instance.id': instance, ...settings.resource }
    this.#troubles = new Troubles('points of metrics', services.log, services.clock)
    this.#since = services.clock.now()
    this.#stopTimer = this.#wait()
  }

  /** Exports once more, and resolves when that is done, or after `ms`. */
  async close(ms: number): Promise<void> {
    this.#stopTimer()
    this.#isClosing = true
    this.#hurry.abort(new Error('The process ends.'))
    const late = Promise.withResolvers<void>()
    const cancel = this.#options.services.clock.after(ms, () => {
      this.#troubles.add(0, 'did not take them in time', lost)
      late.resolve()
    })
    const last = async () => {
      await this.#working
      await this.#begin()
    }
    await Promise.race([last(), late.promise])
    cancel()
    this.#troubles.tell()
  }

  #wait(): () => void {
    const { services, settings } = this.#options
    return services.clock.after(settings.interval, () => {
      this.#stopTimer = this.#wait()
      void this.#begin()
    })
  }

  /** One export at a time: one that takes longer than the interval stands for the next as well. */
  #begin(): Promise<void> {
    const { log } = this.#options.services
    this.#working ??= this.#export()
      .catch((thrown: unknown) => log(describeCause(asGatewayError(thrown)), 'error'))
      .finally(() => {
        this.#working = undefined
      })
    return this.#working
  }

  async #export(): Promise<void> {
    const { services, settings, gather } = this.#options
    const { clock, random } = services
    const tally = await gather()
    const period = { since: this.#since, now: clock.now(), delta: settings.delta }
    const word = settings.signal.isJSON ? metricsJSON : metricsProtobuf
    const body = word({
      ...{ metrics: this.#metrics, resource: this.#resource, period },
      tally: this.#told ? differenceOf(tally, this.#told) : tally,
    })
    const hurry = new Abort()
    this.#hurry = hurry
    if (this.#isClosing) hurry.abort(new Error('The process ends.'))
    const cancel = clock.after(settings.timeout, () => hurry.abort(new Error('It takes too long.')))
    const ways = { clock, random, hurry, most: tries, patience: settings.timeout }
    const sent = await delivered(() => send(body, settings.signal, services), ways)
    cancel()
    if (!sent.taken) return this.#troubles.add(0, sent.why, this.#isClosing ? lost : ' wait for the next export')
    if (sent.rejected > 0) this.#troubles.add(sent.rejected, `refused them${sent.said ? `: ${sent.said}` : ''}`)
    else if (sent.said) this.#troubles.add(0, `says: ${sent.said}`)
    if (!settings.delta) return
    this.#told = tally
    this.#since = period.now
  }
}
