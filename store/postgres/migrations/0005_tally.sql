-- +goose Up

-- How many records of a kind there are (name ''), and how many of them have an
-- index entry of a name: so that a sorted list knows whether any lacks it
-- without going through the kind. The database keeps count by itself, also of
-- what a process of an older version writes beside newer ones.
CREATE TABLE tally (
    kind TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    n    BIGINT NOT NULL,
    PRIMARY KEY (kind, name)
) WITH (fillfactor = 10);

-- Stand in line as every writer does: nobody writes between what is counted here
-- and the first trigger.
UPDATE head SET seq = seq WHERE id = 1;
INSERT INTO tally SELECT kind, '', count(*) FROM record GROUP BY kind;
INSERT INTO tally SELECT kind, name, count(*) FROM entry GROUP BY kind, name;

-- +goose StatementBegin
CREATE FUNCTION tally_record() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO tally SELECT kind, '', count(*) FROM more GROUP BY kind
            ON CONFLICT (kind, name) DO UPDATE SET n = tally.n + excluded.n;
    ELSE
        INSERT INTO tally SELECT kind, '', -count(*) FROM less GROUP BY kind
            ON CONFLICT (kind, name) DO UPDATE SET n = tally.n + excluded.n;
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER record_more AFTER INSERT ON record REFERENCING NEW TABLE AS more FOR EACH STATEMENT EXECUTE FUNCTION tally_record();
CREATE TRIGGER record_less AFTER DELETE ON record REFERENCING OLD TABLE AS less FOR EACH STATEMENT EXECUTE FUNCTION tally_record();

-- A record that becomes one of another kind; what changes within its kind costs nothing.
-- +goose StatementBegin
CREATE FUNCTION tally_other() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO tally VALUES (OLD.kind, '', -1), (NEW.kind, '', 1)
        ON CONFLICT (kind, name) DO UPDATE SET n = tally.n + excluded.n;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER record_other AFTER UPDATE OF kind ON record FOR EACH ROW WHEN (OLD.kind <> NEW.kind) EXECUTE FUNCTION tally_other();

-- +goose StatementBegin
CREATE FUNCTION tally_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO tally SELECT kind, name, count(*) FROM more GROUP BY kind, name
            ON CONFLICT (kind, name) DO UPDATE SET n = tally.n + excluded.n;
    ELSE
        INSERT INTO tally SELECT kind, name, -count(*) FROM less GROUP BY kind, name
            ON CONFLICT (kind, name) DO UPDATE SET n = tally.n + excluded.n;
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER entry_more AFTER INSERT ON entry REFERENCING NEW TABLE AS more FOR EACH STATEMENT EXECUTE FUNCTION tally_entry();
CREATE TRIGGER entry_less AFTER DELETE ON entry REFERENCING OLD TABLE AS less FOR EACH STATEMENT EXECUTE FUNCTION tally_entry();
