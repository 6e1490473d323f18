import type { Metric } from './metric.ts'

type Given = Omit<Metric, 'prometheus' | 'type' | 'unit'> & { readonly prometheus?: string; readonly unit?: string }

const underscored = (name: string) => name.replaceAll('.', '_')

export const labelOf = underscored

export function counter(given: Given): Metric {
  return { unit: '{request}', prometheus: `${underscored(given.name)}_total`, ...given, type: 'counter' }
}

/** The unit has no usual one: whoever makes Prometheus's names of OpenTelemetry's takes a gauge of `1` for a ratio. */
export function gauge(given: Given & Pick<Metric, 'unit'>): Metric {
  return { prometheus: underscored(given.name), ...given, type: 'gauge' }
}

export function histogram(given: Given & Pick<Required<Metric>, 'bounds'>) {
  const { unit = 's', name } = given
  const prometheus = unit === 's' ? `${underscored(name)}_seconds` : underscored(name)
  return { prometheus, ...given, unit, type: 'histogram' } as const satisfies Metric
}
