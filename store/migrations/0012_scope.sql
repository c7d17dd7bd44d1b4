-- What of a registry is read.

ALTER TABLE registries ADD COLUMN scope JSON NOT NULL DEFAULT '{}'; -- registryScope
