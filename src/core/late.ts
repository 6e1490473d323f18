/** Loads once, when it is first needed. A load that failed is tried again by whoever needs it next. */
export function once<T>(load: () => Promise<T>): () => Promise<T> {
  let loading: Promise<T> | undefined
  return () => {
    loading ??= load().catch((error) => {
      loading = undefined
      throw error
    })
    return loading
  }
}

/** A function whose code is loaded by its first call. */
export function late<Given extends readonly unknown[], Made>(
  load: () => Promise<(...given: Given) => Made | Promise<Made>>,
): (...given: Given) => Promise<Made> {
  const loaded = once(load)
  return async (...given) => (await loaded())(...given)
}

/** What is loaded before its first use, and at hand from then on. */
export interface Late<T> {
  /** Undefined until it is loaded. */
  readonly value: T | undefined
  load(): Promise<T>
}

export function lateValue<T>(load: () => Promise<T>): Late<T> {
  let value: T | undefined
  return {
    get value() {
      return value
    },
    load: once(async () => {
      value = await load()
      return value
    }),
  }
}

/** What was loaded with what has it. */
export function atHand<T>(value: T): Late<T> {
  return { value, load: async () => value }
}
