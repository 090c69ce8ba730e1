// A device's two databases. `state.db` holds what must survive a power cut (durability "full"); `telemetry.db`
// holds what may lose its last second (durability "normal"), written in batches to spare the SD card.

import type { Migrations } from "../shared/storage/port.js";

/** Schema of `state.db`: whose it is, the task, updates without a receipt, verified models, what to serve and what failed. */
export const stateMigrations: Migrations = [
  `CREATE TABLE task (
     id INTEGER PRIMARY KEY CHECK (id = 1),
     message BLOB NOT NULL
   ) STRICT;
   CREATE TABLE outbox (
     seq INTEGER PRIMARY KEY AUTOINCREMENT,
     update_id TEXT NOT NULL UNIQUE,
     round INTEGER NOT NULL,
     kind TEXT NOT NULL,
     base_version INTEGER NOT NULL,
     sha256 TEXT NOT NULL,
     examples INTEGER NOT NULL,
     chunk_bytes INTEGER NOT NULL,
     frame BLOB NOT NULL
   ) STRICT;
   CREATE TABLE blob (
     sha256 TEXT PRIMARY KEY,
     content BLOB NOT NULL
   ) STRICT;
   CREATE TABLE model (
     role TEXT PRIMARY KEY CHECK (role IN ('current', 'previous', 'base')),
     sha256 TEXT NOT NULL REFERENCES blob (sha256),
     manifest BLOB NOT NULL
   ) STRICT;`,
  `CREATE TABLE device (
     id INTEGER PRIMARY KEY CHECK (id = 1),
     name TEXT NOT NULL
   ) STRICT;`,
  `CREATE TABLE kept (
     role TEXT PRIMARY KEY CHECK (role IN ('stable', 'trial', 'previous', 'base')),
     sha256 TEXT NOT NULL REFERENCES blob (sha256),
     manifest BLOB NOT NULL
   ) STRICT;
   INSERT INTO kept SELECT CASE role WHEN 'current' THEN 'stable' ELSE role END, sha256, manifest FROM model;
   DROP TABLE model;
   ALTER TABLE kept RENAME TO model;
   CREATE TABLE release (
     id INTEGER PRIMARY KEY CHECK (id = 1),
     sequence INTEGER NOT NULL,
     followed_ms INTEGER NOT NULL,
     message BLOB NOT NULL
   ) STRICT;
   CREATE TABLE failed_version (
     version INTEGER NOT NULL,
     sha256 TEXT NOT NULL,
     failed_ms INTEGER NOT NULL,
     reason TEXT NOT NULL,
     PRIMARY KEY (version, sha256)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE probation (
     id INTEGER PRIMARY KEY CHECK (id = 1),
     version INTEGER NOT NULL,
     sha256 TEXT NOT NULL,
     since_ms INTEGER NOT NULL,
     deaths INTEGER NOT NULL,
     is_running INTEGER NOT NULL
   ) STRICT;`,
  `ALTER TABLE failed_version ADD COLUMN detail TEXT NOT NULL DEFAULT '';`,
  `ALTER TABLE probation ADD COLUMN boot TEXT;
   ALTER TABLE probation ADD COLUMN reboots INTEGER NOT NULL DEFAULT 0;`,
];

/** Schema of `telemetry.db`: examples, predictions (and how many there are: counting a million at every start takes an SD card
 * seconds) and quarantine, all rings; alarms, one per rule and entity; the state of the
 * pipeline, and how far it has come. */
export const telemetryMigrations: Migrations = [
  `CREATE TABLE example_meaning (
     id INTEGER PRIMARY KEY CHECK (id = 1),
     hash TEXT NOT NULL
   ) STRICT;
   CREATE TABLE example (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     split TEXT NOT NULL CHECK (split IN ('train', 'validation', 'test')),
     entity TEXT NOT NULL,
     time_ms INTEGER NOT NULL,
     label REAL NOT NULL,
     persistence REAL,
     features BLOB NOT NULL
   ) STRICT;
   CREATE INDEX example_by_split ON example (split, id);
   CREATE INDEX example_by_time ON example (time_ms);
   CREATE TABLE prediction (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     entity TEXT NOT NULL,
     time_ms INTEGER NOT NULL,
     version INTEGER NOT NULL,
     value REAL NOT NULL,
     probability REAL
   ) STRICT;`,
  `CREATE TABLE alarm (
     rule TEXT NOT NULL,
     entity TEXT NOT NULL,
     status TEXT NOT NULL CHECK (status IN ('raised', 'cleared', 'unknown')),
     known TEXT NOT NULL CHECK (known IN ('raised', 'cleared')),
     time_ms INTEGER NOT NULL,
     since_ms INTEGER NOT NULL,
     value REAL NOT NULL,
     is_said INTEGER NOT NULL,
     PRIMARY KEY (rule, entity)
   ) STRICT, WITHOUT ROWID;`,
  `ALTER TABLE example ADD COLUMN place INTEGER;
   CREATE UNIQUE INDEX example_by_place ON example (place) WHERE place IS NOT NULL;
   CREATE TABLE reservoir_layout (
     id INTEGER PRIMARY KEY CHECK (id = 1),
     size INTEGER NOT NULL,
     classes INTEGER NOT NULL
   ) STRICT;
   CREATE TABLE reservoir (
     stratum INTEGER PRIMARY KEY,
     offered INTEGER NOT NULL
   ) STRICT;
   ALTER TABLE prediction ADD COLUMN prediction_id TEXT;
   ALTER TABLE prediction ADD COLUMN anomaly INTEGER;`,
  `CREATE TABLE checkpoint (
     role TEXT PRIMARY KEY CHECK (role IN ('current', 'set-aside')),
     spec TEXT NOT NULL,
     format INTEGER NOT NULL,
     sha256 TEXT NOT NULL,
     content BLOB NOT NULL
   ) STRICT;
   CREATE TABLE written (
     id INTEGER PRIMARY KEY CHECK (id = 1),
     seq INTEGER NOT NULL,
     file TEXT NOT NULL,
     position INTEGER NOT NULL,
     clock_ms REAL
   ) STRICT;
   CREATE TABLE quarantine (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     source TEXT NOT NULL,
     entity TEXT NOT NULL,
     time_ms INTEGER NOT NULL,
     reason TEXT NOT NULL,
     field TEXT,
     value REAL,
     raw BLOB
   ) STRICT;`,
  `ALTER TABLE prediction ADD COLUMN made_ms INTEGER;
   CREATE INDEX prediction_by_entity ON prediction (entity, time_ms);
   CREATE INDEX prediction_by_time ON prediction (time_ms);
   CREATE INDEX prediction_by_id ON prediction (prediction_id);`,
  `CREATE TABLE prediction_extent (
     id INTEGER PRIMARY KEY CHECK (id = 1),
     rows INTEGER NOT NULL,
     entity_bytes INTEGER NOT NULL
   ) STRICT;
   INSERT INTO prediction_extent SELECT 1, count(*), coalesce(sum(octet_length(entity)), 0) FROM prediction;`,
  `CREATE TABLE history (
     id INTEGER PRIMARY KEY CHECK (id = 1),
     seq INTEGER NOT NULL
   ) STRICT;`,
];
