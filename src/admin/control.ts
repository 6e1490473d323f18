/** What made the gateway read its configuration again. */
export type ReloadCause = 'file' | 'signal' | 'admin' | 'rollback'

/** The outcome of one attempt to change the configuration. */
export interface Reload {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly cause: ReloadCause
  /** `kept`: the new one can't be used, so the one in force stays. `unchanged`: it says the same. */
  readonly outcome: 'applied' | 'unchanged' | 'kept'
  /** Of the configuration in force from then on. */
  readonly hash: string
  /** Why it was kept: all that is wrong, each with its place. */
  readonly problems: readonly string[]
  /** What there is to know besides, such as what needs a restart. */
  readonly notes: readonly string[]
}

/** A configuration that was in force. */
export interface Version {
  readonly hash: string
  /** Milliseconds since 1970. */
  readonly loaded: number
}

export interface ConfigState extends Version {
  /** Whether the file says something else: after a rollback, or because what it says can't be used. */
  readonly differsFromFile: boolean
  readonly lastReload: Reload | undefined
  /** Those that a rollback can return to, the latest first. */
  readonly earlier: readonly Version[]
  /** The configuration that each process has; only with several. */
  readonly workers?: readonly { readonly pid: number; readonly hash: string | undefined }[] | undefined
}

/** The configuration of a gateway that can change it while it runs. */
export interface ConfigControl {
  state(): Promise<ConfigState>
  /** Reads the file again. */
  reload(): Promise<Reload>
  /**
   * Returns to an earlier one: to the one before if `hash` is undefined. The beginning of a hash does too. Resolves with
   * undefined if there is no such one.
   */
  rollback(hash: string | undefined): Promise<Reload | undefined>
}
