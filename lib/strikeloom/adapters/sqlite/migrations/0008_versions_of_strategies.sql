-- A later run of a day with other prices or settings values the same legs anew. It is a version of its
-- own: the newest counts, the former ones stay readable, and a mark keeps the version it was made of.
-- Stored strategies are first versions.

CREATE TABLE strategy_versions (
    market TEXT NOT NULL, strategy_id TEXT NOT NULL, version INTEGER NOT NULL CHECK (version > 0),
    day TEXT NOT NULL, symbol TEXT NOT NULL,
    sector TEXT NOT NULL, template TEXT NOT NULL, tier TEXT NOT NULL, stance TEXT NOT NULL,
    exit_plan TEXT NOT NULL, risk TEXT NOT NULL, score REAL NOT NULL, score_parts TEXT NOT NULL,
    reasons TEXT NOT NULL, chain_id TEXT NOT NULL, spot INTEGER NOT NULL, forward REAL NOT NULL,
    atm_iv REAL NOT NULL, regime TEXT, view TEXT NOT NULL,
    PRIMARY KEY (market, strategy_id, version)
) STRICT;
INSERT INTO strategy_versions
SELECT market, strategy_id, 1, day, symbol, sector, template, tier, stance, exit_plan, risk, score,
       score_parts, reasons, chain_id, spot, forward, atm_iv, regime, view
FROM strategies;

CREATE TABLE version_legs (
    market TEXT NOT NULL, strategy_id TEXT NOT NULL, version INTEGER NOT NULL, leg INTEGER NOT NULL,
    contract TEXT NOT NULL, kind TEXT NOT NULL, lot_size INTEGER NOT NULL, tick INTEGER NOT NULL,
    side INTEGER NOT NULL, lots INTEGER NOT NULL, price INTEGER NOT NULL,
    PRIMARY KEY (market, strategy_id, version, leg),
    FOREIGN KEY (market, strategy_id, version)
        REFERENCES strategy_versions (market, strategy_id, version)
) STRICT;
INSERT INTO version_legs
SELECT market, strategy_id, 1, leg, contract, kind, lot_size, tick, side, lots, price
FROM strategy_legs;

CREATE TABLE version_runs (
    market TEXT NOT NULL, account TEXT NOT NULL, run_id TEXT NOT NULL, strategy_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (market, account, run_id, strategy_id),
    FOREIGN KEY (market, strategy_id, version)
        REFERENCES strategy_versions (market, strategy_id, version)
) STRICT;
INSERT INTO version_runs SELECT market, account, run_id, strategy_id, 1 FROM strategy_runs;

DROP TABLE strategy_runs;
DROP TABLE strategy_legs;
DROP TABLE strategies;
ALTER TABLE strategy_versions RENAME TO strategies;
ALTER TABLE version_legs RENAME TO strategy_legs;
ALTER TABLE version_runs RENAME TO strategy_runs;

ALTER TABLE marks ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
