import type { RequestBody } from '../wire/body.ts'
import type { FailureKind, GatewayError } from '../wire/errors.ts'
import type { JsonObject } from '../wire/json.ts'
import type { Begun } from './continuing.ts'
import type { Operation } from './operation.ts'
import type { Plan, Target } from './plan.ts'
import type { Stage } from './stream.ts'
import type { StreamReader } from './stream-reader.ts'

/** Whose answers are kept apart from others'. */
export interface Tenant {
  /** The id of the key; empty: nobody's in particular, where no key is needed. */
  readonly key: string
  readonly project?: string | undefined
  /** Whether it gets no answer that was kept, and none of its own is. */
  readonly isOff?: boolean
}

/** Whoever requests are charged to. */
export interface Account {
  /** Absent: that of its key. */
  readonly tenant?: Tenant
  /** By the name of a model as clients know it. Absent: it may ask for all. */
  readonly allows?: ((model: string) => boolean) | undefined
  /** Why it may not have what no model answers, such as files; undefined: it may. */
  readonly confined?: string | undefined
  /** Says what of a request it may pay for, and how much that is at most. Takes nothing yet. */
  admit(asked: Admittance): Admission | Promise<Admission>
}

/** Who sent a request, by a key that isn't in the configuration. */
export interface Holder {
  readonly secret: string
  /** By which logs and metrics know the key. */
  readonly name: string
  readonly account: Account
}

/** Everybody who requests can be charged to. */
export interface Accounts {
  /** Whose one of these secrets is, undefined if nobody's. Throws a 401 for a key that is of no use any more. */
  find(secrets: readonly string[]): Holder | undefined | Promise<Holder | undefined>
  /** The account of a key of the configuration, by its name; of somebody without a key, if it is undefined. */
  of(key: string | undefined): Account | undefined
}

export interface Admittance {
  readonly operation: Operation
  readonly body: RequestBody
  readonly plan: Plan
  /** The end user whom the client speaks for. */
  readonly user: string | undefined
  /** The same with what a router is told, where one chooses among models. */
  readonly routed?: RequestBody | undefined
}

/** An exchange with an upstream, and how it failed, if it did. */
export interface Attempted {
  readonly failure?: FailureKind
  readonly error?: GatewayError
  /** What it could take at most. Absent: nobody is charged for it. */
  readonly held?: Held | undefined
  /** The usage in its whole answer, in the words of its API, if somebody is charged for it. */
  readonly usage?: JsonObject | undefined
  /** Into how many exchanges the request was shared out, if into more than one. */
  readonly parts?: number
  /** Whether the stream broke after its first content. */
  readonly broke?: boolean
  /** The reader of its stream. */
  readonly reader?: StreamReader
  /** What its own stream says, where that is joined with others. */
  readonly part?: Pick<StreamReader, 'complete' | 'usage'>
}

/** What one exchange with an upstream can take at most. */
export interface Held {
  readonly input: number
  readonly output: number
  /** In nano-dollars; undefined: nobody knows. */
  readonly cost: number | undefined
  /** The same if it has so many tokens of output. */
  costWith(output: number): number | undefined
  /** What it came to by what its upstream told; undefined: that says nothing. */
  charge(usage: JsonObject | undefined): Pick<Held, 'input' | 'output' | 'cost'> | undefined
  /** How it went, once that is known. */
  attempt?: Attempted
}

/** What is about to be sent to an upstream. */
export interface Exchange {
  readonly operation: Operation
  readonly target: Target
  readonly body: RequestBody
  /** What another deployment has answered so far, if only the rest is asked for. */
  readonly begun?: Begun | undefined
}

/** A request that has been let in. */
export interface Admission {
  /** The plan without what the account can't pay for. */
  readonly plan: Plan
  /** The request with what bounds it. */
  readonly body: RequestBody
  /** Fields of `body` that may be left out where an upstream refuses them. */
  readonly optional: readonly string[]
  /** Takes out of its stream what only the gateway wanted. Absent: nothing. */
  readonly stage?: Stage | undefined
  /** Adds headers that tell of limits of which something was taken. */
  tell(headers: Record<string, string>): void
  /**
   * Takes one of the requests a minute, for an answer that others have paid for. Throws a `GatewayError` if there is none
   * left. The second time it does nothing.
   */
  count(): void | Promise<void>
  /** Before an upstream is first asked: takes all that the request needs of limits and budgets, in the same way. */
  reserve(): void | Promise<void>
  /** Whether it is paid for out of a budget. */
  readonly isPaid: boolean
  /** Whether there was too little left for it. */
  readonly isRefused: boolean
  /**
   * Before each exchange: takes what that may cost beyond what is taken already. Throws a `GatewayError` that ends the
   * request if there is too little left.
   */
  charge(exchange: Exchange): Held | Promise<Held>
}

/** `key`: the name of the client's key. */
export function tenantFor(account: Account | undefined, key: string | undefined): Tenant {
  return account?.tenant ?? { key: key === undefined ? '' : `env:${key}` }
}
