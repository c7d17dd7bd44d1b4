-- Registries, what they hold, and who wants it scanned.
--
-- Written in what SQLite and PostgreSQL have in common. Four words stand for
-- types that differ: ID, TEXT, JSON, BYTES (see migrate.go). Times are BIGINT:
-- microseconds since 1970, UTC. Severities are SMALLINT: pratique.Severity.Rank.
-- A line that ends in "-- sqlite" or "-- postgres" is for that engine alone.

CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value JSON NOT NULL
);

CREATE TABLE registries (
    id             ID,
    name           TEXT NOT NULL UNIQUE,
    kind           TEXT NOT NULL,
    version        TEXT NOT NULL,
    network        TEXT NOT NULL,
    region         TEXT NOT NULL,
    site           TEXT NOT NULL,
    address        TEXT NOT NULL,
    username       TEXT NOT NULL,
    password       BYTES,              -- sealed
    webhook_secret BYTES,              -- sealed
    hourly_limit   INTEGER NOT NULL,
    insecure       BOOLEAN NOT NULL,
    ca             TEXT NOT NULL,
    proxy          TEXT NOT NULL,
    created        BIGINT NOT NULL,
    updated        BIGINT NOT NULL,
    health         JSON NOT NULL,
    sync           JSON NOT NULL
);

CREATE TABLE sync_runs (
    id          ID,
    registry_id BIGINT NOT NULL REFERENCES registries ON DELETE CASCADE,
    is_full     BOOLEAN NOT NULL,
    reason      TEXT NOT NULL,
    started     BIGINT NOT NULL,
    beat        BIGINT NOT NULL,
    ended       BIGINT,
    state       TEXT NOT NULL,
    done        INTEGER NOT NULL,
    total       INTEGER NOT NULL,
    added       INTEGER NOT NULL,
    changed     INTEGER NOT NULL,
    gone        INTEGER NOT NULL,
    error       JSON
);
CREATE INDEX sync_runs_registry ON sync_runs (registry_id, id);
CREATE UNIQUE INDEX sync_runs_running ON sync_runs (registry_id) WHERE ended IS NULL;

CREATE TABLE repositories (
    id          ID,
    registry_id BIGINT NOT NULL REFERENCES registries ON DELETE CASCADE,
    name        TEXT NOT NULL,
    namespace   TEXT NOT NULL,
    first_seen  BIGINT NOT NULL,
    last_seen   BIGINT NOT NULL,
    gone        BIGINT,
    UNIQUE (registry_id, name)
);
CREATE INDEX repositories_namespace ON repositories (registry_id, namespace);

-- One row for each content. It outlives the assets that named it, so that "who
-- was exposed on that day" keeps its answer.
CREATE TABLE images (
    id            ID,
    digest        TEXT NOT NULL UNIQUE,  -- of the config
    os            TEXT NOT NULL,
    architecture  TEXT NOT NULL,
    variant       TEXT NOT NULL,
    created       BIGINT,
    size          BIGINT NOT NULL,
    distro        TEXT NOT NULL,         -- its id: "debian"
    distro_name   TEXT NOT NULL,
    rules         TEXT NOT NULL,
    knowledge     TEXT NOT NULL,         -- what the coverage was told by
    adoption_id   BIGINT,                -- the bundle in force at the last scan
    status        TEXT NOT NULL,
    scan_id       BIGINT,                -- the last one
    scanned_at    BIGINT,
    rows_live     INTEGER NOT NULL,      -- assets that are not gone
    running       BOOLEAN NOT NULL,      -- used by a running container
    complete      BOOLEAN NOT NULL DEFAULT FALSE, -- everything was looked at
    risk          SMALLINT NOT NULL,     -- 0 unknown, 1 none, 2 at risk
    worst         SMALLINT NOT NULL,     -- rank of the worst counted finding, -1 for none
    v_critical INTEGER NOT NULL DEFAULT 0, v_high INTEGER NOT NULL DEFAULT 0, v_medium INTEGER NOT NULL DEFAULT 0,
    v_low INTEGER NOT NULL DEFAULT 0, v_negligible INTEGER NOT NULL DEFAULT 0, v_unknown INTEGER NOT NULL DEFAULT 0,
    d_critical INTEGER NOT NULL DEFAULT 0, d_high INTEGER NOT NULL DEFAULT 0, d_medium INTEGER NOT NULL DEFAULT 0,
    d_low INTEGER NOT NULL DEFAULT 0, d_negligible INTEGER NOT NULL DEFAULT 0, d_unknown INTEGER NOT NULL DEFAULT 0,
    s_critical INTEGER NOT NULL DEFAULT 0, s_high INTEGER NOT NULL DEFAULT 0, s_medium INTEGER NOT NULL DEFAULT 0,
    s_low INTEGER NOT NULL DEFAULT 0, s_negligible INTEGER NOT NULL DEFAULT 0, s_unknown INTEGER NOT NULL DEFAULT 0,
    m_critical INTEGER NOT NULL DEFAULT 0, m_high INTEGER NOT NULL DEFAULT 0, m_medium INTEGER NOT NULL DEFAULT 0,
    m_low INTEGER NOT NULL DEFAULT 0, m_negligible INTEGER NOT NULL DEFAULT 0, m_unknown INTEGER NOT NULL DEFAULT 0,
    fixable INTEGER NOT NULL DEFAULT 0, critical_fixable INTEGER NOT NULL DEFAULT 0, exploited INTEGER NOT NULL DEFAULT 0,
    unimportant INTEGER NOT NULL DEFAULT 0, suppressed_v INTEGER NOT NULL DEFAULT 0, suppressed_s INTEGER NOT NULL DEFAULT 0,
    live_secrets INTEGER NOT NULL DEFAULT 0, packages INTEGER NOT NULL DEFAULT 0
);

-- The long parts of an image, out of the way of lists.
CREATE TABLE image_documents (
    image_id    BIGINT PRIMARY KEY REFERENCES images,
    document    JSON NOT NULL,           -- pratique.Image
    layers      JSON NOT NULL,
    coverage    JSON NOT NULL,
    category_at JSON NOT NULL,
    problems    JSON NOT NULL
);

CREATE TABLE assets (
    id            ID,
    registry_id   BIGINT NOT NULL REFERENCES registries ON DELETE CASCADE,
    repository_id BIGINT NOT NULL REFERENCES repositories ON DELETE CASCADE,
    slot          TEXT NOT NULL,         -- what makes it one row: see slotOf
    tag           TEXT NOT NULL,
    digest        TEXT NOT NULL,
    index_digest  TEXT NOT NULL,
    image_id      BIGINT REFERENCES images,
    platform      JSON NOT NULL,
    size          BIGINT NOT NULL,
    created       BIGINT,
    pushed        BIGINT,
    first_seen    BIGINT NOT NULL,
    last_seen     BIGINT NOT NULL,
    gone          BIGINT,
    newest        BOOLEAN NOT NULL,
    search        TEXT NOT NULL,         -- lower case
    UNIQUE (repository_id, slot)
);
CREATE INDEX assets_image ON assets (image_id);
CREATE INDEX assets_registry ON assets (registry_id);
CREATE INDEX assets_digest ON assets (digest);

CREATE VIRTUAL TABLE asset_search USING fts5(search, content='', contentless_delete=1, tokenize='trigram'); -- sqlite
CREATE TRIGGER assets_inserted AFTER INSERT ON assets BEGIN INSERT INTO asset_search (rowid, search) VALUES (new.id, new.search); END; -- sqlite
CREATE TRIGGER assets_deleted AFTER DELETE ON assets BEGIN DELETE FROM asset_search WHERE rowid = old.id; END; -- sqlite
CREATE TRIGGER assets_updated AFTER UPDATE OF search ON assets WHEN old.search <> new.search BEGIN DELETE FROM asset_search WHERE rowid = old.id; INSERT INTO asset_search (rowid, search) VALUES (new.id, new.search); END; -- sqlite

-- What a registry's hourly limit is counted by.
CREATE TABLE pulls (
    registry_id BIGINT NOT NULL REFERENCES registries ON DELETE CASCADE,
    scan_id     BIGINT NOT NULL,
    at          BIGINT NOT NULL,
    PRIMARY KEY (registry_id, scan_id)
);
CREATE INDEX pulls_at ON pulls (registry_id, at);

CREATE TABLE tasks (
    id         ID,
    kind       TEXT NOT NULL,
    creator    TEXT NOT NULL,
    categories JSON NOT NULL,
    timeout    BIGINT NOT NULL,          -- microseconds
    forced     BOOLEAN NOT NULL,
    created    BIGINT NOT NULL,
    ended      BIGINT,
    total      INTEGER NOT NULL,
    scanned    INTEGER NOT NULL,
    failed     INTEGER NOT NULL,
    cancelled  INTEGER NOT NULL,
    at_risk    INTEGER NOT NULL
);
CREATE INDEX tasks_running ON tasks (id) WHERE ended IS NULL;

-- The truth about a scan. Waiting: neither started nor ended.
CREATE TABLE scans (
    id         ID,
    image_id   BIGINT NOT NULL REFERENCES images,
    attempt    INTEGER NOT NULL,         -- fences the writes of earlier workers
    lost       INTEGER NOT NULL DEFAULT 0, -- workers that fell silent
    status     TEXT NOT NULL,
    categories JSON NOT NULL,            -- wanted
    finished   JSON NOT NULL,            -- of these, done by an earlier part of this scan
    priority   SMALLINT NOT NULL,
    timeout    BIGINT NOT NULL,
    forced     BOOLEAN NOT NULL,
    progress   JSON NOT NULL,
    created    BIGINT NOT NULL,
    started    BIGINT,
    beat       BIGINT,
    ended      BIGINT,
    error      JSON,
    worker     TEXT NOT NULL
);
CREATE UNIQUE INDEX scans_active ON scans (image_id) WHERE ended IS NULL;
CREATE INDEX scans_waiting ON scans (priority, id) WHERE ended IS NULL AND started IS NULL;
CREATE INDEX scans_image ON scans (image_id, id);

CREATE TABLE task_scans (
    task_id BIGINT NOT NULL REFERENCES tasks ON DELETE CASCADE,
    scan_id BIGINT NOT NULL REFERENCES scans ON DELETE CASCADE,
    outcome TEXT,                        -- NULL while the task waits for it
    PRIMARY KEY (task_id, scan_id)
);
CREATE INDEX task_scans_scan ON task_scans (scan_id);
