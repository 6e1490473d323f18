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
