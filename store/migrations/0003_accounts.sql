-- People, and what they did.

CREATE TABLE users (
    id        ID,
    name      TEXT NOT NULL UNIQUE,
    role      TEXT NOT NULL,
    hash      TEXT NOT NULL,              -- argon2id in its PHC form
    disabled  BOOLEAN NOT NULL,
    must_set  BOOLEAN NOT NULL,
    created   BIGINT NOT NULL,
    updated   BIGINT NOT NULL,
    last_seen BIGINT
);

CREATE TABLE sessions (
    token   TEXT PRIMARY KEY,             -- SHA-256 of the cookie's value
    data    BYTES NOT NULL,
    user_id BIGINT,
    expires BIGINT NOT NULL
);
CREATE INDEX sessions_expires ON sessions (expires);
CREATE INDEX sessions_user ON sessions (user_id);

CREATE TABLE preferences (
    user_id BIGINT NOT NULL REFERENCES users ON DELETE CASCADE,
    name    TEXT NOT NULL,
    value   JSON NOT NULL,
    PRIMARY KEY (user_id, name)
);

CREATE TABLE audit (
    id         ID,
    at         BIGINT NOT NULL,
    who        TEXT NOT NULL,
    action     TEXT NOT NULL,
    target     TEXT NOT NULL,
    address    TEXT NOT NULL,
    request_id TEXT NOT NULL,
    detail     TEXT NOT NULL
);
CREATE INDEX audit_at ON audit (at);
