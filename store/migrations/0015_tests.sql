-- Connections that somebody waits for the agents of a site to test. A row goes as soon
-- as nobody waits any longer, and its password when an agent has taken it.

CREATE TABLE connection_tests (
    id       ID,
    site     TEXT NOT NULL,
    registry JSON NOT NULL,
    password BYTES,                        -- sealed
    asked    BIGINT NOT NULL,
    agent_id BIGINT,                       -- that took it
    outcome  JSON
);
CREATE INDEX connection_tests_waiting ON connection_tests (site) WHERE agent_id IS NULL;
