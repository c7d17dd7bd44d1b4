-- The packs of rules for malware that are in force, in pieces, for workers on other
-- machines. The list of them is the setting "rules.packs".
CREATE TABLE rule_pieces (
    digest  TEXT NOT NULL,
    number  INTEGER NOT NULL,
    content BYTES NOT NULL,
    PRIMARY KEY (digest, number)
);
