import type { JsonObject } from '../wire/json.ts'

/** `item`: what a provider keeps; only whose it is is known. */
export type ObjectKind = 'response' | 'chat' | 'conversation' | 'item'

/** Where an object is found. Whoever isn't its owner finds nothing. */
export interface ObjectKey {
  /** The id of a key; empty: whoever has none. */
  readonly owner: string
  readonly kind: ObjectKind
  readonly id: string
}

/** Times in milliseconds since 1970. */
export interface StoredObject extends ObjectKey {
  readonly created: number
  readonly expires: number
  /** How long a process says that it works on it. Absent: nobody does. */
  readonly runningUntil?: number | undefined
  /** The id of the one of its kind that it goes on from. */
  readonly previous?: string | undefined
  readonly body: JsonObject
}

/** One of those that belong to an object, which names them by its id. `place`: grows from each to the next. */
export interface StoredItem {
  readonly place: number
  readonly id: string
  readonly body: JsonObject
}

/** An object with its items. */
export interface Link {
  readonly object: StoredObject
  readonly items: readonly JsonObject[]
}

export interface Page {
  /** The id of the one before. */
  readonly after?: string | undefined
  readonly limit: number
  readonly order: 'asc' | 'desc'
}

/** Items of one parent. */
export interface ItemKey {
  readonly owner: string
  readonly parent: string
}

/** Characters of one object with its items, as JSON. */
export const mostCharacters = 16 * 1024 * 1024

/** More than is kept of one object. `size`: its characters, as JSON. */
export class TooLarge extends Error {
  override readonly name = 'TooLarge'
  readonly size: number

  constructor(size: number) {
    super(`it has ${size} characters, which is too much to be kept`)
    this.size = size
  }
}

/** How an id is known: by a row of its own, as what a provider keeps has one, or only as that of an object's item. */
export type Kept = 'noted' | 'item'

/**
 * What clients may ask for again. Methods reject with a `StoreError`, those that write also with `TooLarge`. Whatever reads
 * and writes does so without anybody in between, on databases too that have no transactions but batches.
 */
export interface Objects {
  /**
   * Writes one with its items, in the place of the one with its id if there is one. False: what it goes on from isn't
   * there any more, and nothing is written.
   */
  put(object: StoredObject, items?: readonly JsonObject[]): Promise<boolean>
  /** The same of several that have no items. */
  putAll(objects: readonly StoredObject[]): Promise<void>
  get(key: ObjectKey): Promise<StoredObject | undefined>
  /**
   * One and all that it goes on from, the newest first, those that were deleted meanwhile among them. Ends early behind
   * `links` of them, or where they have more than `size` characters together. Empty: there is no such object.
   */
  chain(key: ObjectKey, most: { readonly links: number; readonly size: number }): Promise<readonly Link[]>
  /** Those of some ids, of objects and items of whichever kind, that others have, and not the owner as well. */
  ofOthers(owner: string, ids: readonly string[]): Promise<ReadonlyMap<string, Kept>>
  /** By time. `fits`: those that are wanted. Undefined: there is no `after`. */
  list(
    of: Pick<ObjectKey, 'owner' | 'kind'>,
    page: Page,
    fits?: (body: JsonObject) => boolean,
  ): Promise<readonly StoredObject[] | undefined>
  /** `change` may be called several times. Undefined: there is none. */
  update(key: ObjectKey, change: (body: JsonObject) => JsonObject): Promise<StoredObject | undefined>
  /** Deletes one with all its items, once nothing goes on from it; nobody finds it from now on. False: there is none. */
  remove(key: ObjectKey): Promise<boolean>

  /** Adds items after those that are there, and keeps their object until `expires`. False: there is no such object. */
  append(of: ItemKey, items: readonly JsonObject[], expires: number): Promise<boolean>
  /** Adds items at places of their own. Those that are taken stay. */
  place(of: ItemKey, items: readonly StoredItem[]): Promise<void>
  /** Undefined: there is no `after`. */
  items(of: ItemKey, page: Page): Promise<readonly StoredItem[] | undefined>
  /** Those behind a place, in order. */
  itemsFrom(of: ItemKey, place: number, limit: number): Promise<readonly StoredItem[]>
  item(of: ItemKey, id: string): Promise<StoredItem | undefined>
  /** Items of any parent that isn't deleted, by their ids. */
  found(owner: string, ids: readonly string[]): Promise<ReadonlyMap<string, JsonObject>>
  removeItem(of: ItemKey, id: string): Promise<boolean>

  /** Until when somebody works on it; undefined: nobody does, or there is none. */
  runningUntil(key: ObjectKey): Promise<number | undefined>
  /** Goes on working on it. False: it was ended by somebody else. */
  keepRunning(key: ObjectKey, until: number): Promise<boolean>
  /** Ends the work on it. False: somebody else had ended it, and nothing is changed. */
  finish(key: ObjectKey, body: JsonObject, items?: readonly JsonObject[]): Promise<boolean>

  /**
   * Deletes some of what is too old, unless something newer goes on from it, or of what a deleted key had, but for notes of
   * what a provider keeps, which are of use against others. Resolves with whether there may be more.
   */
  forget(now: number): Promise<boolean>
}

/** The parent of the events of a response. */
export const eventsOf = (id: string): string => `${id}/events`
