/** Projects can be put away, and changes of them are seen by all processes. There were none before. */
export const third: readonly string[] = [
  'ALTER TABLE projects ADD COLUMN archived_at INTEGER',
  'ALTER TABLE projects ADD COLUMN revision INTEGER NOT NULL DEFAULT 0',
  "INSERT INTO revisions (name, value) VALUES ('projects', 0)",
]
