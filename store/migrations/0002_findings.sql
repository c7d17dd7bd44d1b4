-- What images hold, and what it means.

CREATE TABLE distros (
    id       ID,
    label    TEXT NOT NULL UNIQUE,
    document JSON NOT NULL                -- pratique.Distro without its origin
);

-- One row for each package as it is judged: with its distribution, without its
-- place in an image.
CREATE TABLE packages (
    id             ID,
    identity       TEXT NOT NULL UNIQUE,  -- digest of all that follows down to document
    type           TEXT NOT NULL,
    name           TEXT NOT NULL,
    version        TEXT NOT NULL,
    arch           TEXT NOT NULL,
    ecosystem      TEXT NOT NULL,
    source         TEXT NOT NULL,
    source_version TEXT NOT NULL,
    module         TEXT NOT NULL,
    distro_id      BIGINT REFERENCES distros,
    owned          BOOLEAN NOT NULL,      -- its files belong to a package of the distribution
    document       JSON NOT NULL,         -- purl, licences, who found it
    fold           TEXT NOT NULL,         -- the name as folded() writes it
    source_fold    TEXT NOT NULL,
    judged         BOOLEAN NOT NULL,      -- at least once
    stamp          BIGINT NOT NULL,       -- of the last request to judge it
    pending        BOOLEAN NOT NULL,      -- it has yet to be answered
    images         INTEGER NOT NULL,      -- live contents that hold it
    v_count        INTEGER NOT NULL,      -- its findings that count
    v_worst        SMALLINT NOT NULL      -- rank of their worst, -1 for none
);
CREATE INDEX packages_fold ON packages (fold);
CREATE INDEX packages_source ON packages (source_fold);
CREATE INDEX packages_pending ON packages (id) WHERE pending;

CREATE TABLE image_packages (
    image_id   BIGINT NOT NULL REFERENCES images,
    package_id BIGINT NOT NULL REFERENCES packages,
    path       TEXT NOT NULL,
    layer      INTEGER NOT NULL,          -- index; -1 when it is not known
    place      JSON,                      -- what else is not the same everywhere
    since      BIGINT NOT NULL,
    until      BIGINT,
    PRIMARY KEY (image_id, package_id, path, since)
) WITHOUT ROWID -- sqlite
) -- postgres
;
CREATE INDEX image_packages_package ON image_packages (package_id, image_id, until);

-- Bundles that were taken into force, newest last.
CREATE TABLE adoptions (
    id       ID,
    digest   TEXT NOT NULL,
    bundle   JSON NOT NULL,
    at       BIGINT NOT NULL,
    who      TEXT NOT NULL,
    reason   TEXT NOT NULL,
    keys     INTEGER NOT NULL,
    affected INTEGER NOT NULL
);

CREATE TABLE vulnerabilities (
    id         ID,
    name       TEXT NOT NULL UNIQUE,      -- the CVE, or the advisory's id
    title      TEXT NOT NULL,
    severity   SMALLINT NOT NULL,         -- the worst of the current findings that count, -1 for none
    score      DOUBLE PRECISION NOT NULL,
    fixable    BOOLEAN NOT NULL,
    likely     BOOLEAN NOT NULL,          -- to be exploited: KEV or EPSS
    epss       DOUBLE PRECISION NOT NULL,
    epss_doc   JSON,
    kev        JSON,
    published  BIGINT,
    first_seen BIGINT NOT NULL,
    last_seen  BIGINT NOT NULL,
    images     INTEGER NOT NULL           -- live contents with a finding that counts
);
CREATE INDEX vulnerabilities_order ON vulnerabilities (severity, id);

-- Texts and scores, which many findings share.
CREATE TABLE descriptions (
    id       ID,
    digest   TEXT NOT NULL UNIQUE,
    document JSON NOT NULL
);

-- One row for each interval in which a package had a vulnerability. Rows end;
-- they are never deleted.
CREATE TABLE findings (
    id               ID,
    package_id       BIGINT NOT NULL REFERENCES packages,
    vulnerability_id BIGINT NOT NULL REFERENCES vulnerabilities,
    severity         SMALLINT NOT NULL,
    weight           SMALLINT NOT NULL,   -- 0 counts, 1 unimportant, 2 suppressed
    fixable          BOOLEAN NOT NULL,
    description_id   BIGINT NOT NULL REFERENCES descriptions,
    digest           TEXT NOT NULL,       -- of the whole finding, to see changes
    since            BIGINT NOT NULL,
    until            BIGINT,
    adoption_id      BIGINT,
    document         JSON NOT NULL       -- what is its own: fix, proof, reasons
);
CREATE UNIQUE INDEX findings_open ON findings (package_id, vulnerability_id) WHERE until IS NULL;
CREATE INDEX findings_package ON findings (package_id);
CREATE INDEX findings_vulnerability ON findings (vulnerability_id);

CREATE TABLE secrets (
    id       ID,
    image_id BIGINT NOT NULL REFERENCES images,
    identity TEXT NOT NULL,
    severity SMALLINT NOT NULL,
    rule     TEXT NOT NULL,
    type     TEXT NOT NULL,
    path     TEXT NOT NULL,
    hash     TEXT NOT NULL,
    weight   SMALLINT NOT NULL,
    search   TEXT NOT NULL,
    since    BIGINT NOT NULL,
    until    BIGINT,
    document JSON NOT NULL
);
CREATE INDEX secrets_image ON secrets (image_id);
CREATE INDEX secrets_hash ON secrets (hash);
CREATE INDEX secrets_order ON secrets (severity, id) WHERE until IS NULL;

CREATE TABLE malware (
    id       ID,
    image_id BIGINT NOT NULL REFERENCES images,
    identity TEXT NOT NULL,
    severity SMALLINT NOT NULL,
    name     TEXT NOT NULL,
    engine   TEXT NOT NULL,
    path     TEXT NOT NULL,
    sha256   TEXT NOT NULL,
    weight   SMALLINT NOT NULL,
    search   TEXT NOT NULL,
    since    BIGINT NOT NULL,
    until    BIGINT,
    document JSON NOT NULL
);
CREATE INDEX malware_image ON malware (image_id);
CREATE INDEX malware_sha256 ON malware (sha256);
CREATE INDEX malware_order ON malware (severity, id) WHERE until IS NULL;

CREATE TABLE events (
    id               ID,
    at               BIGINT NOT NULL,
    category         TEXT NOT NULL,
    change           TEXT NOT NULL,
    cause            TEXT NOT NULL,
    adoption_id      BIGINT,
    package_id       BIGINT REFERENCES packages,
    vulnerability_id BIGINT REFERENCES vulnerabilities,
    image_id         BIGINT REFERENCES images,
    subject          TEXT NOT NULL,
    before           TEXT NOT NULL,
    after            TEXT NOT NULL
);
CREATE INDEX events_package ON events (package_id, vulnerability_id);
CREATE INDEX events_vulnerability ON events (vulnerability_id, id);
CREATE INDEX events_image ON events (image_id, id);
CREATE INDEX events_adoption ON events (adoption_id, id);

CREATE TABLE days (
    date     TEXT PRIMARY KEY,            -- YYYY-MM-DD
    document JSON NOT NULL                -- pratique.Day
);
