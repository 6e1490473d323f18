/**
 * A response says which one it goes on from, in place of all that was said before. `hidden`: its client has deleted it, but
 * others go on from it.
 */
export const fourth: readonly string[] = [
  'ALTER TABLE objects ADD COLUMN previous TEXT',
  'ALTER TABLE objects ADD COLUMN hidden INTEGER NOT NULL DEFAULT 0',
  'CREATE INDEX objects_previous ON objects (owner, kind, previous) WHERE previous IS NOT NULL',
]
