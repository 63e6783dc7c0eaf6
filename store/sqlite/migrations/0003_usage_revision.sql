-- +goose Up

-- Calls are told apart by the revision that answered them, so that two that
-- run side by side can be compared. What was counted before has none.
CREATE TABLE usage_next (
    hour           BIGINT NOT NULL,
    environment    TEXT NOT NULL,
    gateway        TEXT NOT NULL,
    api            TEXT NOT NULL,
    operation      TEXT NOT NULL,
    application    TEXT NOT NULL,
    product        TEXT NOT NULL,
    plan           TEXT NOT NULL,
    class          BIGINT NOT NULL,
    denied         TEXT NOT NULL,
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
    -- The revision that answered, shortened; '' where it was not told.
    revision TEXT NOT NULL,
    PRIMARY KEY (hour, environment, gateway, api, operation, application, product, plan, class, denied, revision)
);
INSERT INTO usage_next SELECT *, '' FROM usage;
DROP TABLE usage;
ALTER TABLE usage_next RENAME TO usage;
CREATE INDEX usage_api ON usage (api, hour);
CREATE INDEX usage_application ON usage (application, hour);
