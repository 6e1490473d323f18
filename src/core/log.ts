/** From the gravest on: `error`: a fault of the gateway's own; `warn`: of others; `info`: each request. */
export const levels = ['error', 'warn', 'info', 'debug'] as const
export type Level = (typeof levels)[number]

/** Writes a message for whoever runs the gateway. Default level: `info`. */
export type Log = (message: string, level?: Level) => void
