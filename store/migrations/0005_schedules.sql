-- Scans that are wanted again and again, the quota, and lists as files.

ALTER TABLE tasks ADD COLUMN unlicensed INTEGER NOT NULL DEFAULT 0;

CREATE TABLE schedules (
    id       ID,
    name     TEXT NOT NULL UNIQUE,
    kind     TEXT NOT NULL,
    enabled  BOOLEAN NOT NULL,
    document JSON NOT NULL,               -- times and scope of pratique.Schedule
    who      TEXT NOT NULL,
    created  BIGINT NOT NULL,
    updated  BIGINT NOT NULL,
    armed    BIGINT NOT NULL              -- earlier openings do not count
);

-- One row for each opening: the key is what keeps it from happening twice.
CREATE TABLE schedule_runs (
    id          ID,
    schedule_id BIGINT NOT NULL REFERENCES schedules ON DELETE CASCADE,
    opens       BIGINT NOT NULL,
    closes      BIGINT NOT NULL,
    who         TEXT NOT NULL,
    started     BIGINT NOT NULL,
    begun       BOOLEAN NOT NULL,         -- its task is made
    ended       BIGINT,
    result      TEXT NOT NULL,
    task_id     BIGINT REFERENCES tasks ON DELETE SET NULL,
    put_back    INTEGER NOT NULL,
    error       JSON,
    UNIQUE (schedule_id, opens)
);
CREATE UNIQUE INDEX schedule_runs_open ON schedule_runs (schedule_id) WHERE ended IS NULL;
CREATE INDEX schedule_runs_order ON schedule_runs (schedule_id, id);

-- What the last run did not get to.
CREATE TABLE schedule_rest (
    schedule_id BIGINT NOT NULL REFERENCES schedules ON DELETE CASCADE,
    image_id    BIGINT NOT NULL REFERENCES images,
    position    BIGINT NOT NULL,
    PRIMARY KEY (schedule_id, image_id)
);

-- The quota's ledger: used units are the rows of licences, and every row has the
-- line that it was counted in.
CREATE TABLE quota_entries (
    id      ID,
    at      BIGINT NOT NULL,
    who     TEXT NOT NULL,
    action  TEXT NOT NULL,
    images  INTEGER NOT NULL,
    refused INTEGER NOT NULL,
    reason  TEXT NOT NULL,
    used    INTEGER NOT NULL,             -- after it
    total   INTEGER NOT NULL,
    detail  TEXT NOT NULL
);
CREATE INDEX quota_entries_action ON quota_entries (action, at);

CREATE TABLE licences (
    image_id BIGINT PRIMARY KEY REFERENCES images,
    entry_id BIGINT NOT NULL REFERENCES quota_entries,
    at       BIGINT NOT NULL
);
CREATE INDEX licences_order ON licences (at, image_id);
CREATE INDEX licences_entry ON licences (entry_id);

CREATE TABLE exports (
    id        ID,
    request   JSON NOT NULL,
    kind      TEXT NOT NULL,
    name      TEXT NOT NULL,              -- of the file, as it is downloaded
    who       TEXT NOT NULL,
    state     TEXT NOT NULL,
    created   BIGINT NOT NULL,
    started   BIGINT,
    ended     BIGINT,
    expires   BIGINT,
    fence     BIGINT NOT NULL,            -- of the attempt that may write
    attempts  INTEGER NOT NULL,
    row_count BIGINT NOT NULL,
    total     BIGINT NOT NULL,
    bytes     BIGINT NOT NULL,
    file      TEXT NOT NULL,              -- in the folder of exports; "" while there is none
    error     JSON
);
CREATE INDEX exports_open ON exports (id) WHERE ended IS NULL;
