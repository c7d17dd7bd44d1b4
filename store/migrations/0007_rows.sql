-- Lists of repository images by any order and filter without reading images.

-- What rows are sorted, filtered and counted by, of their content. A row without
-- one has the values of image 0.
CREATE VIEW image_keys AS
    SELECT i.id AS image_id, i.status, COALESCE(i.scanned_at, 0) AS scanned_at, i.risk, i.worst, i.running, i.distro, i.architecture, i.packages,
        i.v_critical + i.v_high + i.v_medium + i.v_low + i.v_negligible + i.v_unknown AS vulnerabilities, i.v_critical AS critical,
        i.s_critical + i.s_high + i.s_medium + i.s_low + i.s_negligible + i.s_unknown AS secrets,
        i.m_critical + i.m_high + i.m_medium + i.m_low + i.m_negligible + i.m_unknown AS malware,
        CASE WHEN i.v_negligible + i.s_negligible + i.m_negligible > 0 THEN 1 ELSE 0 END + CASE WHEN i.v_unknown + i.s_unknown + i.m_unknown > 0 THEN 2 ELSE 0 END +
        CASE WHEN i.v_low + i.s_low + i.m_low > 0 THEN 4 ELSE 0 END + CASE WHEN i.v_medium + i.s_medium + i.m_medium > 0 THEN 8 ELSE 0 END +
        CASE WHEN i.v_high + i.s_high + i.m_high > 0 THEN 16 ELSE 0 END + CASE WHEN i.v_critical + i.s_critical + i.m_critical > 0 THEN 32 ELSE 0 END +
        CASE WHEN i.fixable > 0 THEN 64 ELSE 0 END + CASE WHEN i.critical_fixable > 0 OR i.exploited > 0 THEN 128 ELSE 0 END +
        CASE WHEN i.exploited > 0 OR i.critical_fixable > 0 OR i.live_secrets > 0 OR i.m_critical + i.m_high + i.m_medium + i.m_low + i.m_negligible + i.m_unknown > 0 THEN 256 ELSE 0 END AS traits
    FROM images i
    UNION ALL SELECT 0, 'not_scanned', 0, 0, -1, FALSE, '', '', 0, 0, 0, 0, 0, 0;

ALTER TABLE assets ADD COLUMN status TEXT NOT NULL DEFAULT 'not_scanned';
ALTER TABLE assets ADD COLUMN scanned_at BIGINT NOT NULL DEFAULT 0; -- 0 for never
ALTER TABLE assets ADD COLUMN risk SMALLINT NOT NULL DEFAULT 0;
ALTER TABLE assets ADD COLUMN worst SMALLINT NOT NULL DEFAULT -1;
ALTER TABLE assets ADD COLUMN running BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE assets ADD COLUMN distro TEXT NOT NULL DEFAULT '';
ALTER TABLE assets ADD COLUMN architecture TEXT NOT NULL DEFAULT '';
ALTER TABLE assets ADD COLUMN packages INTEGER NOT NULL DEFAULT 0;
ALTER TABLE assets ADD COLUMN vulnerabilities INTEGER NOT NULL DEFAULT 0;
ALTER TABLE assets ADD COLUMN critical INTEGER NOT NULL DEFAULT 0;
ALTER TABLE assets ADD COLUMN secrets INTEGER NOT NULL DEFAULT 0;
ALTER TABLE assets ADD COLUMN malware INTEGER NOT NULL DEFAULT 0;
ALTER TABLE assets ADD COLUMN traits INTEGER NOT NULL DEFAULT 0; -- bits: severities by rank, then fixable, must fix, urgent

UPDATE assets SET (status, scanned_at, risk, worst, running, distro, architecture, packages, vulnerabilities, critical, secrets, malware, traits) =
    (SELECT k.status, k.scanned_at, k.risk, k.worst, k.running, k.distro, k.architecture, k.packages, k.vulnerabilities, k.critical, k.secrets, k.malware, k.traits
    FROM image_keys k WHERE k.image_id = COALESCE(assets.image_id, 0));

-- They follow the image by themselves, whoever changes it. Counters change together
-- with worst, which is settled last.
CREATE TRIGGER assets_follow_new AFTER INSERT ON assets WHEN new.image_id IS NOT NULL BEGIN UPDATE assets SET (status, scanned_at, risk, worst, running, distro, architecture, packages, vulnerabilities, critical, secrets, malware, traits) = (SELECT k.status, k.scanned_at, k.risk, k.worst, k.running, k.distro, k.architecture, k.packages, k.vulnerabilities, k.critical, k.secrets, k.malware, k.traits FROM image_keys k WHERE k.image_id = new.image_id) WHERE id = new.id; END; -- sqlite
CREATE TRIGGER assets_follow_other AFTER UPDATE OF image_id ON assets WHEN new.image_id IS NOT old.image_id BEGIN UPDATE assets SET (status, scanned_at, risk, worst, running, distro, architecture, packages, vulnerabilities, critical, secrets, malware, traits) = (SELECT k.status, k.scanned_at, k.risk, k.worst, k.running, k.distro, k.architecture, k.packages, k.vulnerabilities, k.critical, k.secrets, k.malware, k.traits FROM image_keys k WHERE k.image_id = COALESCE(new.image_id, 0)) WHERE id = new.id; END; -- sqlite
CREATE TRIGGER assets_follow AFTER UPDATE OF status, scanned_at, worst, running ON images BEGIN UPDATE assets SET (status, scanned_at, risk, worst, running, distro, architecture, packages, vulnerabilities, critical, secrets, malware, traits) = (SELECT k.status, k.scanned_at, k.risk, k.worst, k.running, k.distro, k.architecture, k.packages, k.vulnerabilities, k.critical, k.secrets, k.malware, k.traits FROM image_keys k WHERE k.image_id = new.id) WHERE image_id = new.id; END; -- sqlite

CREATE FUNCTION asset_follows() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN SELECT k.status, k.scanned_at, k.risk, k.worst, k.running, k.distro, k.architecture, k.packages, k.vulnerabilities, k.critical, k.secrets, k.malware, k.traits INTO new.status, new.scanned_at, new.risk, new.worst, new.running, new.distro, new.architecture, new.packages, new.vulnerabilities, new.critical, new.secrets, new.malware, new.traits FROM image_keys k WHERE k.image_id = COALESCE(new.image_id, 0); RETURN new; END $$; -- postgres
CREATE TRIGGER assets_follow_image BEFORE INSERT OR UPDATE OF image_id ON assets FOR EACH ROW EXECUTE FUNCTION asset_follows(); -- postgres
CREATE FUNCTION assets_follow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE assets a SET (status, scanned_at, risk, worst, running, distro, architecture, packages, vulnerabilities, critical, secrets, malware, traits) = (SELECT k.status, k.scanned_at, k.risk, k.worst, k.running, k.distro, k.architecture, k.packages, k.vulnerabilities, k.critical, k.secrets, k.malware, k.traits FROM image_keys k WHERE k.image_id = new.id) WHERE a.image_id = new.id; RETURN NULL; END $$; -- postgres
CREATE TRIGGER images_followed AFTER UPDATE OF status, scanned_at, worst, running ON images FOR EACH ROW EXECUTE FUNCTION assets_follow(); -- postgres

-- SQLite reads a whole row to see one column of it, and rows are wide: whatever a
-- list asks for is in this index. An index for each order would be faster for pages
-- without a filter, and no help for those with one.
CREATE INDEX assets_keys ON assets (gone, id, newest, running, status, risk, worst, traits, scanned_at, vulnerabilities, critical, secrets, malware, packages, registry_id, repository_id, image_id, distro, architecture, size, created, pushed, first_seen, last_seen, tag); -- sqlite
CREATE INDEX assets_held ON assets (gone, repository_id, risk, scanned_at);
CREATE INDEX assets_systems ON assets (gone, distro, architecture); -- sqlite
-- It leads to half of all rows when one registry is large.
DROP INDEX assets_registry; -- sqlite
-- What an image's rows are asked for without reading them.
DROP INDEX assets_image;
CREATE INDEX assets_image ON assets (image_id, gone, newest, registry_id);
CREATE INDEX packages_name ON packages (name, id); -- sqlite
