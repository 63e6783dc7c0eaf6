-- +goose Up

-- How many records of a kind there are (name ''), and how many of them have an
-- index entry of a name: so that a sorted list knows whether any lacks it
-- without going through the kind. The database keeps count by itself.
CREATE TABLE tally (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    n    BIGINT NOT NULL,
    PRIMARY KEY (kind, name)
) WITHOUT ROWID;
INSERT INTO tally SELECT kind, '', count(*) FROM record GROUP BY kind;
INSERT INTO tally SELECT kind, name, count(*) FROM entry GROUP BY kind, name;

-- +goose StatementBegin
CREATE TRIGGER record_more AFTER INSERT ON record BEGIN
    INSERT INTO tally VALUES (NEW.kind, '', 1) ON CONFLICT (kind, name) DO UPDATE SET n = n + 1;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER record_less AFTER DELETE ON record BEGIN
    UPDATE tally SET n = n - 1 WHERE kind = OLD.kind AND name = '';
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER record_other AFTER UPDATE OF kind ON record WHEN OLD.kind <> NEW.kind BEGIN
    UPDATE tally SET n = n - 1 WHERE kind = OLD.kind AND name = '';
    INSERT INTO tally VALUES (NEW.kind, '', 1) ON CONFLICT (kind, name) DO UPDATE SET n = n + 1;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER entry_more AFTER INSERT ON entry BEGIN
    INSERT INTO tally VALUES (NEW.kind, NEW.name, 1) ON CONFLICT (kind, name) DO UPDATE SET n = n + 1;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER entry_less AFTER DELETE ON entry BEGIN
    UPDATE tally SET n = n - 1 WHERE kind = OLD.kind AND name = OLD.name;
END;
-- +goose StatementEnd
