import type { Kind } from './notes.ts'

const mostSeconds = 2_000_000

/** A number, also one that is written as a text. */
function numberOf(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value.trim()) ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined
}

function numberWhere(allowed: string, fits: (number: number) => boolean): Kind<number> {
  return {
    allowed,
    read: (value) => {
      const number = numberOf(value)
      return number !== undefined && fits(number) ? number : undefined
    },
  }
}

export const seconds = numberWhere('seconds above 0', (number) => number > 0 && number <= mostSeconds)
export const count = numberWhere('a whole number from 0', (number) => number >= 0 && Number.isSafeInteger(number))
export const countFromOne = numberWhere(
  'a whole number from 1',
  (number) => number >= 1 && Number.isSafeInteger(number),
)
export const weight = numberWhere('a number from 0 to 1,000,000', (number) => number >= 0 && number <= 1_000_000)
export const dollars = numberWhere('dollars from 0', (number) => number >= 0)

/** Milliseconds, read as seconds. */
export const milliseconds: Kind<number> = {
  allowed: 'milliseconds above 0',
  read: (value) => seconds.read((numberOf(value) ?? 0) / 1000),
}

export const flag: Kind<boolean> = {
  allowed: 'true or false',
  read: (value) =>
    value === 'true' ? true : value === 'false' ? false : typeof value === 'boolean' ? value : undefined,
}

export const text: Kind<string> = {
  allowed: 'text',
  read: (value) => (typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined),
}

/** A text, also one that YAML reads as a number. */
export const textOrNumber: Kind<string> = {
  allowed: 'text',
  read: (value) => text.read(typeof value === 'number' ? String(value) : value),
}
