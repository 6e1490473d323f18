/**
 * What is used up of the limits a minute that processes share. `used`: as of the time `at`; it is none again at `full_at`,
 * when the row says no more than none. Fractions, in the units of the limit and in milliseconds since 1970.
 */
export const eighth: readonly string[] = [
  `CREATE TABLE rates (
    name TEXT PRIMARY KEY,
    used REAL NOT NULL,
    at REAL NOT NULL,
    full_at REAL NOT NULL
  ) STRICT, WITHOUT ROWID`,
]
