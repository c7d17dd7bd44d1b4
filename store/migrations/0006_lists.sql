-- Indexes of lists.

CREATE INDEX secrets_identity ON secrets (identity, id);
CREATE INDEX malware_identity ON malware (identity, id);
