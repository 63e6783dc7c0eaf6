-- +goose Up

-- One row: where the store stands. Every writing transaction updates it first,
-- so writers stand in line and numbers have no gap.
CREATE TABLE head (
    id    INTEGER PRIMARY KEY CHECK (id = 1),
    seq   BIGINT NOT NULL, -- of the last batch
    event BIGINT NOT NULL, -- number of the last audit event
    hash  TEXT COLLATE "C" NOT NULL,    -- and its hash
    time  BIGINT NOT NULL  -- of the last batch; all times: microseconds since 1970, UTC
) WITH (fillfactor = 10);
INSERT INTO head VALUES (1, 0, 0, '', 0);

CREATE TABLE batch (
    seq  BIGINT PRIMARY KEY,
    time BIGINT NOT NULL
);
CREATE INDEX batch_time ON batch (time, seq);

-- What stands.
CREATE TABLE record (
    key     TEXT COLLATE "C" PRIMARY KEY,
    kind    TEXT COLLATE "C" NOT NULL,
    value   BYTEA NOT NULL,
    rev     BIGINT NOT NULL, -- the batch that wrote it
    time    BIGINT NOT NULL,
    entries TEXT COLLATE "C" NOT NULL     -- its index entries, a JSON object; '' for none
);
CREATE INDEX record_kind ON record (kind, key);

-- What stood: one row for each batch that wrote or, with value NULL, deleted.
CREATE TABLE history (
    key     TEXT COLLATE "C" NOT NULL,
    seq     BIGINT NOT NULL,
    kind    TEXT COLLATE "C" NOT NULL,
    value   BYTEA,
    time    BIGINT NOT NULL,
    entries TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (key, seq)
);
CREATE INDEX history_seq ON history (seq, key);
CREATE INDEX history_kind ON history (kind, key, seq);

-- By what lists of what stands filter and sort.
CREATE TABLE entry (
    kind  TEXT COLLATE "C" NOT NULL,
    name  TEXT COLLATE "C" NOT NULL,
    value TEXT COLLATE "C" NOT NULL,
    key   TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (kind, name, value, key)
);
CREATE INDEX entry_key ON entry (key, name, value);

-- The trail. Columns beside the body are to search by, cut at 250 bytes.
CREATE TABLE event (
    number  BIGINT PRIMARY KEY,
    seq     BIGINT NOT NULL, -- the batch it was written in
    time    BIGINT NOT NULL,
    actor   TEXT COLLATE "C" NOT NULL,
    action  TEXT COLLATE "C" NOT NULL,
    object  TEXT COLLATE "C" NOT NULL,
    team    TEXT COLLATE "C" NOT NULL,
    outcome TEXT COLLATE "C" NOT NULL,
    body    BYTEA NOT NULL     -- JSON
);
CREATE INDEX event_time ON event (time);
CREATE INDEX event_actor ON event (actor, number);
CREATE INDEX event_action ON event (action, number);
CREATE INDEX event_object ON event (object, number);
CREATE INDEX event_team ON event (team, number);
CREATE INDEX event_outcome ON event (outcome, number);

-- Calls counted, rolled up by the hour.
CREATE TABLE usage (
    hour           BIGINT NOT NULL,
    environment    TEXT COLLATE "C" NOT NULL,
    gateway        TEXT COLLATE "C" NOT NULL,
    api            TEXT COLLATE "C" NOT NULL,
    operation      TEXT COLLATE "C" NOT NULL,
    application    TEXT COLLATE "C" NOT NULL,
    product        TEXT COLLATE "C" NOT NULL,
    plan           TEXT COLLATE "C" NOT NULL,
    class          BIGINT NOT NULL,
    denied         TEXT COLLATE "C" NOT NULL,
    requests       BIGINT NOT NULL,
    bytes_in       BIGINT NOT NULL,
    bytes_out      BIGINT NOT NULL,
    backend_micros BIGINT NOT NULL,
    -- Latency by report.LatencyBounds; the last is above all of them.
    latency0 BIGINT NOT NULL, latency1 BIGINT NOT NULL, latency2 BIGINT NOT NULL, latency3 BIGINT NOT NULL,
    latency4 BIGINT NOT NULL, latency5 BIGINT NOT NULL, latency6 BIGINT NOT NULL, latency7 BIGINT NOT NULL,
    latency8 BIGINT NOT NULL, latency9 BIGINT NOT NULL, latency10 BIGINT NOT NULL, latency11 BIGINT NOT NULL,
    latency12 BIGINT NOT NULL, latency13 BIGINT NOT NULL, latency14 BIGINT NOT NULL, latency15 BIGINT NOT NULL,
    latency16 BIGINT NOT NULL, latency17 BIGINT NOT NULL, latency18 BIGINT NOT NULL,
    PRIMARY KEY (hour, environment, gateway, api, operation, application, product, plan, class, denied)
);
CREATE INDEX usage_api ON usage (api, hour);
CREATE INDEX usage_application ON usage (application, hour);

-- Usage batches that have been counted, so that none is twice.
CREATE TABLE taken (
    spool  TEXT COLLATE "C" NOT NULL,
    number BIGINT NOT NULL,
    seq    BIGINT NOT NULL,
    PRIMARY KEY (spool, number)
);
