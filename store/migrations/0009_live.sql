-- How many contents there are, counted without reading them.
CREATE INDEX images_live ON images (rows_live, running, rows_local);
