/**
 * `out[t][r] = sum over c of x[t][c] * w[r][c]`, for `count` rows of `x` and `rows` rows of `w`; the result starts at
 * `out[at]`. Loads are the bottleneck, so four products share each load: four rows of `x` per row of `w` for a prompt,
 * four rows of `w` for the one row of a new token. `rows` must be a multiple of four, as it is in llama models.
 */
export function multiply(
  out: Float32Array,
  at: number,
  x: Float32Array,
  w: Float32Array,
  count: number,
  columns: number,
  rows: number,
): void {
  let t = 0
  for (; t + 4 <= count; t += 4) fourTokens(out, at + t * rows, x, t * columns, w, columns, rows)
  for (; t < count; t++) oneToken(out, at + t * rows, x, t * columns, w, columns, rows)
}

/** The mean of one head's values, weighted by the scores. Four columns at a time, kept in registers. */
export function mix(
  out: Float32Array,
  at: number,
  scores: Float32Array,
  total: number,
  values: Float32Array,
  offset: number,
  stride: number,
  size: number,
  length: number,
): void {
  for (let i = 0; i < size; i += 4) {
    let a = 0
    let b = 0
    let c = 0
    let d = 0
    for (let position = 0, from = offset + i; position < length; position++, from += stride) {
      const score = scores[position] as number
      a += score * (values[from] as number)
      b += score * (values[from + 1] as number)
      c += score * (values[from + 2] as number)
      d += score * (values[from + 3] as number)
    }
    out[at + i] = a / total
    out[at + i + 1] = b / total
    out[at + i + 2] = c / total
    out[at + i + 3] = d / total
  }
}

export function add(to: Float32Array, from: Float32Array, length: number): void {
  for (let i = 0; i < length; i++) to[i] = (to[i] as number) + (from[i] as number)
}

function fourTokens(
  out: Float32Array,
  at: number,
  x: Float32Array,
  x0: number,
  w: Float32Array,
  columns: number,
  rows: number,
): void {
  const x1 = x0 + columns
  const x2 = x1 + columns
  const x3 = x2 + columns
  for (let r = 0; r < rows; r++) {
    const row = r * columns
    let a = 0
    let b = 0
    let c = 0
    let d = 0
    for (let i = 0; i < columns; i++) {
      const weight = w[row + i] as number
      a += weight * (x[x0 + i] as number)
      b += weight * (x[x1 + i] as number)
      c += weight * (x[x2 + i] as number)
      d += weight * (x[x3 + i] as number)
    }
    out[at + r] = a
    out[at + rows + r] = b
    out[at + 2 * rows + r] = c
    out[at + 3 * rows + r] = d
  }
}

function oneToken(
  out: Float32Array,
  at: number,
  x: Float32Array,
  x0: number,
  w: Float32Array,
  columns: number,
  rows: number,
): void {
  for (let r = 0; r < rows; r += 4) {
    const row0 = r * columns
    const row1 = row0 + columns
    const row2 = row1 + columns
    const row3 = row2 + columns
    let a = 0
    let b = 0
    let c = 0
    let d = 0
    for (let i = 0; i < columns; i++) {
      const value = x[x0 + i] as number
      a += value * (w[row0 + i] as number)
      b += value * (w[row1 + i] as number)
      c += value * (w[row2 + i] as number)
      d += value * (w[row3 + i] as number)
    }
    out[at + r] = a
    out[at + r + 1] = b
    out[at + r + 2] = c
    out[at + r + 3] = d
  }
}
