import { printable } from '../log.ts'

/** Rows as lines of padded columns, the heads as the first; a column without any entry is left out. */
export function tableLines<Row>(
  columns: Readonly<Record<string, (row: Row, index: number) => string>>,
  rows: readonly Row[],
): string[] {
  const filled = Object.entries(columns)
    .map(([head, column]) => [head, ...rows.map((row, index) => printable(column(row, index)))])
    .filter(([, ...cells]) => cells.some((cell) => cell !== ''))
  const widths = filled.map((cells) => Math.max(...cells.map(({ length }) => length)))
  return Array.from({ length: rows.length + 1 }, (_, row) =>
    filled
      .map((cells, at) => (cells[row] ?? '').padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}
