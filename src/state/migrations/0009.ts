/** An id is looked for whoever owns it: what is another's must not be asked of those who keep it for all. */
export const ninth: readonly string[] = [
  'CREATE INDEX objects_id ON objects (id, owner)',
  'DROP INDEX items_id',
  'CREATE INDEX items_id ON items (id, owner)',
]
