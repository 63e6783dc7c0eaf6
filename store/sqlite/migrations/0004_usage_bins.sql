-- +goose Up

-- Latencies told more finely than by the columns beside it, encoded as in
-- report.Bins. NULL where only those know: what was counted before.
ALTER TABLE usage ADD COLUMN bins BLOB;
