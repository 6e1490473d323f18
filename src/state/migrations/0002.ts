/**
 * What clients may ask for again by its id: responses, chats, conversations. Ids are the owner's own, so that nobody can
 * take another's. Nothing was ever written to the tables that these replace.
 */
export const second: readonly string[] = [
  'DROP TABLE objects',
  'DROP TABLE items',
  // `owner`: the id of a key. `running_until`: as long as a process says that it works on it; null: nobody does.
  `CREATE TABLE objects (
    owner TEXT NOT NULL,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    running_until INTEGER,
    body TEXT NOT NULL,
    PRIMARY KEY (owner, kind, id)
  ) STRICT`,
  'CREATE INDEX objects_order ON objects (owner, kind, created_at, id)',
  'CREATE INDEX objects_expiry ON objects (expires_at)',
  // In order: what was said in a conversation, what a response consists of, its events.
  `CREATE TABLE items (
    owner TEXT NOT NULL,
    parent TEXT NOT NULL,
    place INTEGER NOT NULL,
    id TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (owner, parent, place)
  ) STRICT`,
  'CREATE INDEX items_id ON items (owner, id)',
]
