/** A change to a request that an upstream refused. */
export interface Remedy {
  /** Fields to leave out. */
  readonly drop?: readonly string[]
  /** Fields to leave out while their value hardly matters; with another value they are sent, and refused. */
  readonly spare?: readonly string[]
  /** New names of fields. A request that has both keeps the value under the new name. */
  readonly rename?: Readonly<Record<string, string>>
  /** Fields that change the answer. They are sent, and refused, unless the configuration allows to leave them out. */
  readonly refused?: readonly string[]
  /**
   * Makes messages of role `developer` messages of role `system`, or joins all of both roles in the first message, or in
   * the first one of the user.
   */
  readonly instructions?: 'system' | 'joined' | 'user'
  /** The levels of effort that there are; any other becomes the nearest. */
  readonly efforts?: readonly string[]
  /** Fields to leave out of messages. */
  readonly thoughts?: readonly string[]
}
