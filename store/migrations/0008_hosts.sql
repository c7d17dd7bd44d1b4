-- Images on hosts, and the agents that tell about them. They are rows of assets
-- below one registry of the kind "local", which no list of registries shows.

ALTER TABLE assets ADD COLUMN source TEXT NOT NULL DEFAULT 'registry'; -- pratique.ImageSource
ALTER TABLE assets ADD COLUMN reason TEXT NOT NULL DEFAULT '';         -- why it cannot be scanned
CREATE INDEX assets_local ON assets (id) WHERE source = 'local';
-- Lists are of one source: the index by which they are read has it as well.
DROP INDEX assets_keys; -- sqlite
CREATE INDEX assets_keys ON assets (gone, source, id, newest, running, status, risk, worst, traits, scanned_at, vulnerabilities, critical, secrets, malware, packages, registry_id, repository_id, image_id, distro, architecture, size, created, pushed, first_seen, last_seen, tag); -- sqlite

ALTER TABLE images ADD COLUMN rows_local INTEGER NOT NULL DEFAULT 0;     -- of rows_live, those on hosts
ALTER TABLE images ADD COLUMN attested BOOLEAN NOT NULL DEFAULT FALSE;   -- its result rests on what a host says
CREATE INDEX images_local ON images (id) WHERE rows_local > 0;

CREATE TABLE agent_tokens (
    id      ID,
    hash    TEXT NOT NULL UNIQUE,
    kind    TEXT NOT NULL,
    note    TEXT NOT NULL,
    site    TEXT NOT NULL,
    project TEXT NOT NULL,
    uses    INTEGER NOT NULL,
    used    INTEGER NOT NULL,
    who     TEXT NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    revoked BIGINT
);

CREATE TABLE agents (
    id         ID,
    kind       TEXT NOT NULL,
    name       TEXT NOT NULL,
    public_key TEXT NOT NULL,              -- its SHA-256
    host_uid   TEXT NOT NULL,              -- pratique.Host.ID, or ''
    site       TEXT NOT NULL,
    project    TEXT NOT NULL,              -- of its token
    version    TEXT NOT NULL,
    token_id   BIGINT,
    enrolled   BIGINT NOT NULL,
    beat       BIGINT,
    revoked    BIGINT,
    problems   JSON NOT NULL
);
CREATE UNIQUE INDEX agents_key ON agents (public_key) WHERE revoked IS NULL;
CREATE INDEX agents_host ON agents (host_uid);

CREATE TABLE hosts (
    id         ID,
    uid        TEXT NOT NULL UNIQUE,       -- pratique.Host.ID
    name       TEXT NOT NULL,
    project    TEXT NOT NULL,
    document   JSON NOT NULL,              -- pratique.Host
    search     TEXT NOT NULL,              -- lower case
    first_seen BIGINT NOT NULL
);

-- One row for each engine of a host that told what it has.
CREATE TABLE host_engines (
    id         ID,
    host_id    BIGINT NOT NULL REFERENCES hosts ON DELETE CASCADE,
    identity   TEXT NOT NULL,              -- kind, owner and root
    kind       TEXT NOT NULL,
    document   JSON NOT NULL,              -- pratique.EngineInfo
    generation BIGINT NOT NULL,            -- of the last inventory
    told       BIGINT NOT NULL,            -- when it came
    updated    BIGINT,                     -- when the last one without an error came
    changed    BIGINT NOT NULL,            -- when one last said something new
    error      JSON,
    UNIQUE (host_id, identity)
);
CREATE INDEX host_engines_changed ON host_engines (changed);

-- Which host has which row of assets, and under which name.
CREATE TABLE host_images (
    id        ID,
    host_id   BIGINT NOT NULL REFERENCES hosts ON DELETE CASCADE,
    engine_id BIGINT NOT NULL REFERENCES host_engines ON DELETE CASCADE,
    identity  TEXT NOT NULL,               -- name, namespace and content
    asset_id  BIGINT NOT NULL REFERENCES assets ON DELETE CASCADE,
    image_id  BIGINT REFERENCES images,
    reference TEXT NOT NULL,               -- by which the engine opens it
    space     TEXT NOT NULL,
    reason    TEXT NOT NULL,
    digest    TEXT NOT NULL,               -- of all that was told, to see changes
    document  JSON NOT NULL,               -- pratique.LocalImage without names and layers
    UNIQUE (engine_id, identity)
);
CREATE INDEX host_images_host ON host_images (host_id, image_id);
CREATE INDEX host_images_asset ON host_images (asset_id, host_id);
CREATE INDEX host_images_image ON host_images (image_id, host_id);

CREATE TABLE containers (
    id        ID,
    host_id   BIGINT NOT NULL REFERENCES hosts ON DELETE CASCADE,
    engine_id BIGINT NOT NULL REFERENCES host_engines ON DELETE CASCADE,
    identity  TEXT NOT NULL,               -- namespace and id
    image_id  BIGINT REFERENCES images,
    name      TEXT NOT NULL,
    pod       TEXT NOT NULL,
    state     TEXT NOT NULL,
    uses      BOOLEAN NOT NULL,            -- it keeps its image in use
    running   BOOLEAN NOT NULL,
    created   BIGINT NOT NULL,             -- 0 when it is not known
    updated   BIGINT NOT NULL,
    digest    TEXT NOT NULL,
    search    TEXT NOT NULL,
    document  JSON NOT NULL,               -- pratique.Container
    UNIQUE (engine_id, identity)
);
CREATE INDEX containers_host ON containers (host_id);
CREATE INDEX containers_image ON containers (image_id, uses);

CREATE TABLE data_updates (
    id      ID,
    who     TEXT NOT NULL,
    started BIGINT NOT NULL,
    ended   BIGINT,
    total   INTEGER NOT NULL
);

CREATE TABLE data_update_hosts (
    update_id BIGINT NOT NULL REFERENCES data_updates ON DELETE CASCADE,
    host_id   BIGINT NOT NULL REFERENCES hosts ON DELETE CASCADE,
    handed    BIGINT,                      -- when an agent got it
    done      BIGINT,
    error     JSON,
    PRIMARY KEY (update_id, host_id)
);
CREATE INDEX data_update_hosts_waiting ON data_update_hosts (host_id) WHERE done IS NULL;
