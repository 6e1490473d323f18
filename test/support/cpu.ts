/** Milliseconds of CPU that this thread takes for `work`: of time, a busy machine takes any amount. */
export async function cpuFor(work: () => unknown): Promise<number> {
  const before = process.threadCpuUsage()
  await work()
  const { user, system } = process.threadCpuUsage(before)
  return (user + system) / 1_000
}
