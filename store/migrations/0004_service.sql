-- What joins registries, scans and feeds while the service runs.

ALTER TABLE scans ADD COLUMN due BIGINT;       -- it may not begin before; NULL is at once
CREATE INDEX scans_ended ON scans (ended);

ALTER TABLE registries ADD COLUMN wish JSON;   -- pratique.SyncWish; NULL when nothing is wanted

-- The bundle in force and those before it, in pieces, for workers on other machines.
CREATE TABLE bundle_pieces (
    digest  TEXT NOT NULL,
    number  INTEGER NOT NULL,
    content BYTES NOT NULL,
    PRIMARY KEY (digest, number)
);
