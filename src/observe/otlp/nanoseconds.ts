/** Since 1970, of milliseconds. In microseconds and three zeros: more than is known, and more than a number can hold. */
export function nanoseconds(ms: number): string {
  return `${Math.round(ms * 1000)}000`
}
