/** What is kept from the beginning. Times are milliseconds since 1970, money is nano-dollars. */
export const first: readonly string[] = [
  `CREATE TABLE keys (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    hint TEXT NOT NULL,
    project_id TEXT,
    user_id TEXT,
    disabled INTEGER NOT NULL DEFAULT 0,
    deleted INTEGER NOT NULL DEFAULT 0,
    expires_at INTEGER,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    limits TEXT NOT NULL DEFAULT '{}',
    metadata TEXT NOT NULL DEFAULT '{}'
  ) STRICT, WITHOUT ROWID`,
  // Each change gets the next number, so that readers see at a glance whether there is anything new, and then what.
  'CREATE INDEX keys_revision ON keys (revision)',
  'CREATE TABLE revisions (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID',
  "INSERT INTO revisions (name, value) VALUES ('keys', 0)",
  // A key has two while it is rotated.
  `CREATE TABLE secrets (
    digest TEXT PRIMARY KEY,
    key_id TEXT NOT NULL REFERENCES keys (id) ON DELETE CASCADE,
    until INTEGER
  ) STRICT, WITHOUT ROWID`,
  'CREATE INDEX secrets_key ON secrets (key_id)',
  `CREATE TABLE projects (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    limits TEXT NOT NULL DEFAULT '{}',
    metadata TEXT NOT NULL DEFAULT '{}'
  ) STRICT, WITHOUT ROWID`,

  // See src/state/meters.ts. `since` is the window; `asks` counts who found too little, so that others give back.
  `CREATE TABLE meters (
    subject TEXT NOT NULL,
    since INTEGER NOT NULL,
    spent INTEGER NOT NULL DEFAULT 0,
    held INTEGER NOT NULL DEFAULT 0,
    lost INTEGER NOT NULL DEFAULT 0,
    asks INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (subject, since)
  ) STRICT, WITHOUT ROWID`,
  // What a process has leased of a meter. `lost_at`: when it was written off, since the process seemed dead.
  `CREATE TABLE leases (
    owner TEXT NOT NULL,
    subject TEXT NOT NULL,
    since INTEGER NOT NULL,
    held INTEGER NOT NULL,
    returns INTEGER NOT NULL,
    lost_at INTEGER,
    PRIMARY KEY (owner, subject, since)
  ) STRICT, WITHOUT ROWID`,
  // Processes. `beat` grows as long as one lives: no two clocks have to agree.
  `CREATE TABLE owners (
    owner TEXT PRIMARY KEY,
    beat INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID`,

  // Ids are ordered by time, so that the newest are found without an index.
  `CREATE TABLE requests (
    id TEXT PRIMARY KEY,
    at INTEGER NOT NULL,
    key_id TEXT,
    key_name TEXT,
    project_id TEXT,
    user_id TEXT,
    end_user TEXT,
    operation TEXT,
    model TEXT,
    deployment TEXT,
    status INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    stream INTEGER NOT NULL,
    input INTEGER NOT NULL,
    cached INTEGER NOT NULL,
    output INTEGER NOT NULL,
    reasoning INTEGER NOT NULL,
    cost INTEGER,
    booked INTEGER NOT NULL,
    usage_source TEXT NOT NULL,
    price_source TEXT,
    ms INTEGER NOT NULL,
    first_ms INTEGER,
    attempts TEXT NOT NULL,
    cache TEXT,
    metadata TEXT
  ) STRICT, WITHOUT ROWID`,
  // Sums of the hours, kept for ever. What isn't known is an empty text.
  `CREATE TABLE usage (
    bucket INTEGER NOT NULL,
    key_id TEXT NOT NULL,
    project_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    end_user TEXT NOT NULL,
    operation TEXT NOT NULL,
    model TEXT NOT NULL,
    deployment TEXT NOT NULL,
    requests INTEGER NOT NULL,
    errors INTEGER NOT NULL,
    input INTEGER NOT NULL,
    cached INTEGER NOT NULL,
    output INTEGER NOT NULL,
    reasoning INTEGER NOT NULL,
    cost INTEGER NOT NULL,
    booked INTEGER NOT NULL,
    unpriced INTEGER NOT NULL,
    PRIMARY KEY (bucket, key_id, project_id, user_id, end_user, operation, model, deployment)
  ) STRICT, WITHOUT ROWID`,
  'CREATE INDEX usage_key ON usage (key_id, bucket)',

  // What a key has spent ever, and in the day, the week and the month that began when it says.
  `CREATE TABLE spending (
    key_id TEXT PRIMARY KEY,
    total INTEGER NOT NULL,
    day INTEGER NOT NULL,
    daily INTEGER NOT NULL,
    week INTEGER NOT NULL,
    weekly INTEGER NOT NULL,
    month INTEGER NOT NULL,
    monthly INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID`,

  `CREATE TABLE cache (
    id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    until INTEGER NOT NULL,
    size INTEGER NOT NULL,
    stream INTEGER NOT NULL,
    body BLOB NOT NULL
  ) STRICT`,
  'CREATE INDEX cache_until ON cache (until)',
  'CREATE INDEX cache_tenant ON cache (tenant)',

  // Responses, conversations, files, batches: whatever clients may ask for again by its id.
  `CREATE TABLE objects (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    key_id TEXT NOT NULL DEFAULT '',
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    body TEXT NOT NULL,
    PRIMARY KEY (kind, id)
  ) STRICT`,
  'CREATE INDEX objects_key ON objects (kind, key_id, created_at)',
  'CREATE INDEX objects_expiry ON objects (expires_at)',
  // In order, those of a conversation or of a response.
  `CREATE TABLE items (
    parent TEXT NOT NULL,
    place INTEGER NOT NULL,
    id TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (parent, place)
  ) STRICT`,
]
