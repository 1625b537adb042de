-- How every structure of the catalogue ended on every symbol, in place of the reasons of those that
-- were rejected; and the Pareto front of each symbol, from which capital is allocated.

CREATE TABLE outcomes (
    market TEXT NOT NULL, account TEXT NOT NULL, run_id TEXT NOT NULL,
    symbol TEXT NOT NULL, template TEXT NOT NULL,
    ending TEXT NOT NULL CHECK (ending IN ('picked', 'beaten', 'refused')),
    rule TEXT NOT NULL, reason TEXT NOT NULL,
    value REAL, threshold REAL, remedy TEXT NOT NULL, beaten_by TEXT NOT NULL, legs TEXT NOT NULL,
    expected_value INTEGER, error INTEGER, funds INTEGER, score REAL,
    PRIMARY KEY (market, account, run_id, symbol, template)
) STRICT;
INSERT INTO outcomes
SELECT market, account, run_id, symbol, template, 'refused', 'unstated', reason,
       NULL, NULL, '', '', '[]', NULL, NULL, NULL, NULL
FROM rejections;
DROP TABLE rejections;

CREATE TABLE fronts (
    market TEXT NOT NULL, account TEXT NOT NULL, run_id TEXT NOT NULL,
    symbol TEXT NOT NULL, place INTEGER NOT NULL,
    template TEXT NOT NULL, legs TEXT NOT NULL, horizon TEXT NOT NULL,
    expected_value INTEGER NOT NULL, error INTEGER NOT NULL, tail_mean INTEGER NOT NULL,
    probability REAL NOT NULL, costs INTEGER NOT NULL,
    margin INTEGER NOT NULL, margin_after INTEGER NOT NULL,
    PRIMARY KEY (market, account, run_id, symbol, place)
) STRICT;

ALTER TABLE strategies ADD COLUMN conviction REAL;
ALTER TABLE strategies ADD COLUMN purpose TEXT NOT NULL DEFAULT 'earn';
