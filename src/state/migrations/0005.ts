/** What would have been paid for an answer if it had not been kept, or had for another request. There was no telling before. */
export const fifth: readonly string[] = [
  'ALTER TABLE requests ADD COLUMN saved INTEGER NOT NULL DEFAULT 0',
  'ALTER TABLE usage ADD COLUMN saved INTEGER NOT NULL DEFAULT 0',
]
