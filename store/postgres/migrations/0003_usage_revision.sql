-- +goose Up

-- Calls are told apart by the revision that answered them, so that two that
-- run side by side can be compared. What was counted before has none.
ALTER TABLE usage ADD COLUMN revision TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE usage DROP CONSTRAINT usage_pkey;
ALTER TABLE usage ADD PRIMARY KEY (hour, environment, gateway, api, operation, application, product, plan, class, denied, revision);
