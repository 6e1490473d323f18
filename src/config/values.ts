import * as v from 'valibot'

// The message of a check says what is allowed: "timeout: found -1; allowed: a number of seconds above 0".

export const text = v.string('text')
export const name = v.pipe(v.string(), v.nonEmpty('a name that is not empty'))
export const names = v.array(name)
export const yesOrNo = v.boolean()
export const never = v.literal(false)

/** Over 23 days. Runtimes count in 31 bits of milliseconds: Node lets a longer timer run out at once. */
const mostSeconds = 2_000_000
export const seconds = v.pipe(
  v.number('a number of seconds'),
  v.gtValue(0, 'a number of seconds above 0'),
  v.maxValue(mostSeconds, 'a number of seconds up to 2,000,000'),
)

export const count = v.pipe(
  v.number('a whole number'),
  v.integer('a whole number'),
  v.minValue(0, 'a whole number from 0'),
)
export const countFromOne = v.pipe(count, v.minValue(1, 'a whole number from 1'))

// Bounded, so that weights can be added.
export const weight = v.pipe(
  v.number('a number'),
  v.minValue(0, 'a number from 0'),
  v.maxValue(1_000_000, 'a number up to 1,000,000'),
)
export const dollars = v.pipe(
  v.number('a number of dollars'),
  v.minValue(0, 'a number of dollars from 0'),
  v.maxValue(1_000_000, 'a number of dollars up to 1,000,000'),
)

/** What a price is multiplied with. */
export const factor = v.pipe(
  v.number('a number, or a price of its own'),
  v.minValue(0, 'a number from 0'),
  v.maxValue(1000, 'a number up to 1,000'),
)

/** A part of a `whole` that isn't nothing. */
export function partOf(whole: number) {
  const allowed = `a number above 0, up to ${whole}`
  return v.pipe(v.number(allowed), v.gtValue(0, allowed), v.maxValue(whole, allowed))
}

/** A part of all that may be nothing or everything. */
export const share = v.pipe(
  v.number('a number from 0 to 1'),
  v.minValue(0, 'a number from 0 to 1'),
  v.maxValue(1, 'a number from 0 to 1'),
)

/** Fields of a request. */
export const fields = v.record(v.string(), v.custom<unknown>(isSendable, 'a value that JSON can carry'))

/** Whether JSON has a word for a value. Without a value the key is not sent. */
function isSendable(value: unknown): boolean {
  if (value === undefined) return true
  try {
    return JSON.stringify(value) !== undefined
  } catch {
    return false
  }
}

export const host = v.pipe(text, v.regex(/^[^/\s]+$/, 'a host, such as "samewire.lan"'))
export const origin = v.pipe(
  text,
  v.regex(/^([A-Za-z][A-Za-z\d+.-]*:\/\/[^/\s]+|\*|null)$/, 'an origin, such as "https://app.example"'),
)

/** A schema that is one of `options`, which `choose` takes. */
export type Chosen<Options extends readonly v.GenericSchema[]> = v.GenericSchema<
  v.InferInput<Options[number]>,
  v.InferOutput<Options[number]>
> & { readonly options: Options }

/**
 * One of several, chosen by the type of the value, so that a mistake inside an object is reported at its own place. A
 * union would say that the object as a whole is none of them.
 */
export function chosen<const Options extends readonly v.GenericSchema[]>(
  options: Options,
  choose: (input: unknown) => v.GenericSchema,
): Chosen<Options> {
  return Object.assign(v.lazy(choose), { options }) as unknown as Chosen<Options>
}

/** An object, or `false` for none. */
export function orFalse<const T extends v.GenericSchema>(object: T) {
  return chosen([object, never], (input) => (input === false ? never : object))
}

/** `true`, `false` or an object. */
export function yesOrNoOr<const T extends v.GenericSchema>(object: T) {
  return chosen([yesOrNo, object], (input) => (typeof input === 'object' ? object : yesOrNo))
}

/** A string or an object. */
export function stringOr<const T extends v.GenericSchema>(object: T) {
  return chosen([name, object], (input) => (typeof input === 'string' ? name : object))
}

/** An object of names and values. Rejects an array, whose indices would pass for names. */
export function named<const T extends v.GenericSchema>(value: T) {
  const names = v.record(name, value)
  const list = v.never('names with what they stand for, not a list')
  return chosen([names], (input) => (Array.isArray(input) ? list : names)) as unknown as typeof names
}
