/** Requests may go on where their limits can't be checked. */
export const seventh: readonly string[] = ['ALTER TABLE requests ADD COLUMN unchecked INTEGER NOT NULL DEFAULT 0']
