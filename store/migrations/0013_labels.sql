-- Which labels hosts have: one row for each. They are written with the host.

CREATE TABLE host_labels (
    host_id BIGINT NOT NULL REFERENCES hosts ON DELETE CASCADE,
    label   TEXT NOT NULL,                 -- NAME=VALUE
    PRIMARY KEY (host_id, label)
);
CREATE INDEX host_labels_label ON host_labels (label);
