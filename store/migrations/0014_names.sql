-- Images in the order of their names begin with the names.
CREATE INDEX repositories_name ON repositories (name);
