-- +goose Up

-- Work that waits, such as messages on their way to receivers. It has no
-- history and no number of the sequence; resting jobs (due 0) are the log of
-- what became of them, and are dropped in time.
CREATE TABLE job (
    id      TEXT COLLATE "C" PRIMARY KEY,
    queue   TEXT COLLATE "C" NOT NULL,
    grp     TEXT COLLATE "C" NOT NULL, -- whose it is
    state   TEXT COLLATE "C" NOT NULL,
    due     BIGINT NOT NULL, -- when it is to be done; 0: it rests
    created BIGINT NOT NULL,
    value   BYTEA NOT NULL,   -- JSON
    rev     BIGINT NOT NULL
);
CREATE INDEX job_due ON job (queue, due) WHERE due > 0;
CREATE INDEX job_created ON job (created, id);
CREATE INDEX job_queue ON job (queue, created, id);
CREATE INDEX job_grp ON job (grp, created, id);
CREATE INDEX job_state ON job (state, created, id);
