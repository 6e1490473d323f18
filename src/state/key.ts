/** When a budget starts anew: at midnight UTC, on Mondays, on the first of a month; null: never. */
export type LimitReset = 'daily' | 'weekly' | 'monthly' | null

/** In a minute. */
export interface RateLimits {
  readonly rpm?: number
  /** Tokens of prompts and of answers. */
  readonly tpm?: number
}

/** What a key may do, or all keys of a project together. Absent: no limit of the kind. */
export interface SharedLimits {
  /** Names of models as clients know them, or `provider/model`; `*` stands for any text without a slash. */
  readonly models?: readonly string[]
  /** Requests a minute. */
  readonly rpm?: number
  /** Tokens a minute, those of prompts and of answers. */
  readonly tpm?: number
  /** Requests at once. */
  readonly parallel?: number
  /** The same for single models, by the names that clients ask for. */
  readonly modelLimits?: Readonly<Record<string, RateLimits>>
  /** Budget for each window, in nano-dollars. */
  readonly budget?: number
  /** Absent: never. */
  readonly budgetReset?: LimitReset
}

/** What a key may do. Absent: no limit of the kind. */
export interface KeyLimits extends SharedLimits {
  /** Limits a minute for each of those whom the client speaks for. */
  readonly userLimits?: RateLimits
  /** `estimate`: a request reserves what it is likely to cost, so that the budget may be exceeded by a little. */
  readonly budgetMode?: 'exact' | 'estimate'
  /** Whether it may ask for what has no bound, such as tools that run at the provider's, although it has a budget. */
  readonly allowUnbounded?: boolean
  /** `false`: it gets no answer that was kept, and none of its own is. */
  readonly cache?: boolean
  /** What becomes of its requests where the store fails. Absent: as the gateway says. */
  readonly onStoreError?: OnStoreError
}

/**
 * What becomes of a request where the store fails that keeps its limits: it is refused, or it goes on and is counted later.
 */
export type OnStoreError = 'refuse' | 'admit'

/** A key of a client's, without its secret. Times in milliseconds since 1970. */
export interface Key {
  readonly id: string
  /** By which logs and metrics know it. */
  readonly name: string
  /** `sk-sw-…abcd`. */
  readonly hint: string
  readonly project?: string
  /** The project that it was made in: on Workers, limits of its own are counted there, wherever it belongs now. */
  readonly home?: string
  /** Who it belongs to. */
  readonly user?: string
  readonly disabled: boolean
  readonly expiresAt?: number
  readonly createdAt: number
  /** Absent: nobody has changed it. */
  readonly updatedAt?: number
  readonly limits: KeyLimits
  readonly metadata: Readonly<Record<string, unknown>>
}

/** What keys can have in common. Times in milliseconds since 1970. */
export interface Project {
  readonly id: string
  readonly name: string
  readonly createdAt: number
  /** When it was put away: its keys are refused. Absent: it wasn't. */
  readonly archivedAt?: number
  readonly limits: ProjectLimits
  readonly metadata: Readonly<Record<string, unknown>>
}

export interface ProjectLimits extends SharedLimits {
  /** Names of models that its keys may not ask, as in `models`. */
  readonly modelsDenied?: readonly string[]
}

/** Finds projects of keys that were found. They are at hand. */
export interface Projects {
  /** Undefined: it belongs to none, or nobody has made that one. */
  of(key: Pick<Key, 'project'>): Project | undefined
}

/** Finds who calls, by the SHA-256 of the secret in lower-case hex. Kept in memory: never waits on Node. */
export interface Keys {
  /** Undefined: nobody has it. The caller checks `disabled` and `expiresAt`, whose refusals say more. */
  find(digest: string): Key | undefined | Promise<Key | undefined>
  /** Whether there is one, disabled or not. Absent: nobody knows at once. */
  any?(): boolean
}
