-- The indexes that lists are read from begin with what nobody looks a single row up
-- by. While they began with gone, SQLite, which guesses that few rows share a value,
-- went through them once for each image that it looked up.
DROP INDEX assets_keys; -- sqlite
CREATE INDEX assets_keys ON assets (id, gone, source, newest, running, status, risk, worst, traits, scanned_at, vulnerabilities, critical, secrets, malware, packages, registry_id, repository_id, image_id, distro, architecture, size, created, pushed, first_seen, last_seen, tag); -- sqlite
DROP INDEX assets_held;
CREATE INDEX assets_held ON assets (repository_id, gone, risk, scanned_at);
DROP INDEX assets_systems; -- sqlite
CREATE INDEX assets_systems ON assets (distro, architecture, gone, source); -- sqlite
