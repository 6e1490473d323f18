import type { Account, Accounts, Holder } from '../core/account.ts'
import type { Catalog, Known } from '../core/catalog.ts'
import type { Observer, RequestReport } from '../core/report.ts'
import type { Services } from '../core/services.ts'
import type { ClientKey } from '../http/access.ts'
import type { Catalogue } from '../prices/catalogue.ts'
import { createPricing, type Pricing } from '../prices/pricing.ts'
import type { Key, Keys, OnStoreError, Projects } from '../state/key.ts'
import type { Ledger } from '../state/ledger.ts'
import { GatewayError } from '../wire/errors.ts'
import { type Common, KeyAccount } from './account.ts'
import { RequestAdmission } from './admission.ts'
import { billOf } from './bill.ts'
import type { Limiter } from './limiter.ts'
import { projectSubjects } from './project-subject.ts'
import { noStore } from './refusals.ts'
import { isOthers, rowOf } from './row.ts'

/** What limits and budgets are kept with, once for a process, whichever gateways it has one after the other. */
export interface AccountingParts extends Pick<Services, 'clock'> {
  readonly limiter: Limiter
  /** Those that are not in the configuration. Absent: there are no others. */
  readonly keys?: Keys | undefined
  /** What keys have in common. Absent: nothing. */
  readonly projects?: Projects | undefined
  /** Absent: nothing is written down. */
  readonly ledger?: Ledger | undefined
  /** Prices for models without one of their own. */
  readonly catalogue: Catalogue
  /** The SHA-256 of a secret, in lower-case hex. */
  readonly digest: (secret: string) => string | Promise<string>
  /** Whether work goes on after the last request: what is to be written then needn't be by the end of each. */
  readonly background?: boolean
}

/** A gateway whose requests are charged to somebody. */
export interface Charged extends Pick<Services, 'clock' | 'log'> {
  readonly catalog: Catalog
  readonly known: Known
  /** Those of the configuration. */
  readonly keys: readonly ClientKey[]
  /** For keys that don't say it themselves. Absent: whoever has a budget is refused, and others go on. */
  readonly onStoreError?: OnStoreError | undefined
}

export interface Charging {
  readonly accounts: Accounts
  readonly observer: Observer
  readonly prices: Pricing
}

export interface Accounting {
  /** Whether there may be keys that aren't in the configuration. */
  readonly hasOtherKeys: boolean
  /** Whether there are some now, or nobody knows that there are none. */
  readonly holdsKeys: boolean
  charge(charged: Charged): Charging
}

/** With what every key begins that isn't in the configuration. */
const prefix = 'sk-sw-'

export function createAccounting(parts: AccountingParts): Accounting {
  const { clock, limiter, keys, ledger, catalogue, digest, background = false } = parts
  const projects = parts.projects && projectSubjects(parts.projects)

  return {
    hasOtherKeys: keys !== undefined,
    get holdsKeys() {
      return keys !== undefined && (keys.any?.() ?? true)
    },
    charge({ catalog, known, keys: configured, onStoreError, ...services }) {
      const prices = createPricing({ catalog, known, catalogue, ...services })
      const common: Common = {
        ...{ clock, limiter, counts: ledger !== undefined, projects, onStoreError },
        priceOf: (deployment) => prices.book.priceOf(deployment),
        neededPriceOf: (deployment) => prices.book.neededPriceOf(deployment),
        charge: (usage, pieces, served) => prices.charge(usage, pieces, served),
        limitsOf: (model) => catalog.models.get(model)?.rate,
      }
      const named = new Map(configured.map((key) => [key.name, new KeyAccount(configuredKey(key), common)]))
      const nobody = new KeyAccount(nobodys, common)
      const held = new WeakMap<Key, Account>()

      function holderOf(secret: string, key: Key | undefined): Holder | undefined {
        if (!key) return undefined
        checkUse(key, clock.now())
        const account = held.get(key) ?? new KeyAccount(key, common)
        held.set(key, account)
        return { secret, name: key.name, account }
      }

      /** Looks for one after the other. Waits only where a key isn't at hand. */
      function find(secrets: readonly string[]): Holder | undefined | Promise<Holder | undefined> {
        const [secret, ...others] = secrets
        if (!keys || secret === undefined) return undefined
        if (!secret.startsWith(prefix)) return find(others)
        const digested = digest(secret)
        const found = digested instanceof Promise ? digested.then((one) => keys.find(one)) : keys.find(digested)
        if (found instanceof Promise)
          return found.then(
            (key) => holderOf(secret, key) ?? find(others),
            (cause: unknown) => {
              throw noStore(cause)
            },
          )
        return holderOf(secret, found) ?? find(others)
      }

      function sourceOf({ trace: { givenBy, attempts } }: RequestReport, admission: RequestAdmission | undefined) {
        const label = givenBy ?? attempts.at(-1)?.deployment
        const target = admission?.plan.targets.find(({ deployment }) => deployment.label === label)
        return target && prices.book.priceOf(target.deployment)?.source
      }

      return {
        prices,
        accounts: { find, of: (key) => (key === undefined ? nobody : named.get(key)) },
        observer: {
          follows: true,
          over(report) {
            const { account, admission } = report.trace
            if (!(account instanceof KeyAccount)) return
            const own = admission instanceof RequestAdmission ? admission : undefined
            const bill = billOf(report, own?.held ?? [])
            own?.settle(bill)
            if (report.operation !== undefined)
              ledger?.write(() =>
                rowOf(report, account === nobody ? undefined : account.key, {
                  ...bill,
                  saved: savedBy(report, own),
                  priceSource: bill.booked > 0 ? sourceOf(report, own) : undefined,
                  unchecked: own?.unchecked,
                }),
              )
          },
          ...(!background &&
            (ledger || limiter.flush) && {
              settle: async () => void (await Promise.all([limiter.flush?.(), ledger?.flush()])),
            }),
        },
      }
    },
  }
}

function savedBy({ trace, outcome }: RequestReport, admission: RequestAdmission | undefined): number {
  return isOthers(trace) && outcome === 'done' ? (admission?.worth(trace) ?? 0) : 0
}

/** A key of the configuration like those that are kept. */
export function configuredKey({ name, limits = {} }: ClientKey): Key {
  return { id: `env:${name}`, name, hint: name, disabled: false, createdAt: 0, limits, metadata: {} }
}

const nobodys: Key = { id: '', name: 'nobody', hint: '', disabled: false, createdAt: 0, limits: {}, metadata: {} }

/** Only who has the secret is told why it is of no use. */
function checkUse({ name, disabled, expiresAt }: Key, now: number): void {
  if (disabled) {
    const message = `The API key ${name} is disabled. Ask whoever runs this gateway.`
    throw new GatewayError('unauthorized', message, { reason: 'key_disabled' })
  }
  if (expiresAt !== undefined && expiresAt <= now) {
    const message = `The API key ${name} expired at ${new Date(expiresAt).toISOString()}. Ask whoever runs this gateway.`
    throw new GatewayError('unauthorized', message, { reason: 'key_expired' })
  }
}
