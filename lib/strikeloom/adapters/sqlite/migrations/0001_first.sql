-- Market and account are part of every key. Money is integer paise, moments are ISO 8601 text
-- with offset, days are YYYY-MM-DD.

CREATE TABLE runs (
    market TEXT NOT NULL, account TEXT NOT NULL, run_id TEXT NOT NULL,
    stage TEXT NOT NULL, day TEXT NOT NULL, verdict TEXT NOT NULL,
    started TEXT NOT NULL, finished TEXT, result TEXT, error TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (market, account, run_id)
) STRICT;
CREATE INDEX runs_by_stage ON runs (market, account, stage, day, finished);

CREATE TABLE historical_iv_summary (
    market TEXT NOT NULL, symbol TEXT NOT NULL, day TEXT NOT NULL, method TEXT NOT NULL,
    atm_iv REAL, expiry TEXT, years REAL, spot REAL, forward REAL, forward_source TEXT,
    strikes_used INTEGER NOT NULL, reason TEXT NOT NULL,
    PRIMARY KEY (market, symbol, day)
) STRICT;
CREATE INDEX iv_by_day ON historical_iv_summary (market, day);

CREATE TABLE iv_percentiles (
    market TEXT NOT NULL, symbol TEXT NOT NULL, day TEXT NOT NULL,
    atm_iv REAL, percentile REAL, rank REAL, regime TEXT, window_months INTEGER,
    sample INTEGER NOT NULL, needed INTEGER NOT NULL, reason TEXT NOT NULL,
    PRIMARY KEY (market, symbol, day)
) STRICT;

CREATE TABLE market_views (
    market TEXT NOT NULL, symbol TEXT NOT NULL, day TEXT NOT NULL,
    outlook TEXT NOT NULL, strength REAL NOT NULL, evidence TEXT NOT NULL,
    PRIMARY KEY (market, symbol, day)
) STRICT;

CREATE TABLE strategies (
    market TEXT NOT NULL, strategy_id TEXT NOT NULL, day TEXT NOT NULL, symbol TEXT NOT NULL,
    sector TEXT NOT NULL, template TEXT NOT NULL, tier TEXT NOT NULL, stance TEXT NOT NULL,
    exit_plan TEXT NOT NULL, risk TEXT NOT NULL, score REAL NOT NULL, score_parts TEXT NOT NULL,
    reasons TEXT NOT NULL, chain_id TEXT NOT NULL, spot INTEGER NOT NULL, forward REAL NOT NULL,
    atm_iv REAL NOT NULL, regime TEXT, view TEXT NOT NULL,
    PRIMARY KEY (market, strategy_id)
) STRICT;

CREATE TABLE strategy_legs (
    market TEXT NOT NULL, strategy_id TEXT NOT NULL, leg INTEGER NOT NULL,
    contract TEXT NOT NULL, kind TEXT NOT NULL, lot_size INTEGER NOT NULL, tick INTEGER NOT NULL,
    side INTEGER NOT NULL, lots INTEGER NOT NULL, price INTEGER NOT NULL,
    PRIMARY KEY (market, strategy_id, leg),
    FOREIGN KEY (market, strategy_id) REFERENCES strategies (market, strategy_id)
) STRICT;

CREATE TABLE strategy_runs (
    market TEXT NOT NULL, account TEXT NOT NULL, run_id TEXT NOT NULL, strategy_id TEXT NOT NULL,
    PRIMARY KEY (market, account, run_id, strategy_id),
    FOREIGN KEY (market, strategy_id) REFERENCES strategies (market, strategy_id)
) STRICT;

CREATE TABLE rejections (
    market TEXT NOT NULL, account TEXT NOT NULL, run_id TEXT NOT NULL,
    symbol TEXT NOT NULL, template TEXT NOT NULL, reason TEXT NOT NULL,
    PRIMARY KEY (market, account, run_id, symbol, template)
) STRICT;

CREATE TABLE allocation_runs (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    market TEXT NOT NULL, account TEXT NOT NULL, run_id TEXT NOT NULL, day TEXT NOT NULL,
    capital INTEGER NOT NULL, cash_left INTEGER NOT NULL, expected_income INTEGER NOT NULL,
    target_income INTEGER NOT NULL, binding TEXT NOT NULL,
    UNIQUE (market, account, run_id)
) STRICT;

CREATE TABLE allocations (
    market TEXT NOT NULL, account TEXT NOT NULL, run_id TEXT NOT NULL, strategy_id TEXT NOT NULL,
    symbol TEXT NOT NULL, template TEXT NOT NULL, sector TEXT NOT NULL DEFAULT '',
    tier TEXT NOT NULL DEFAULT '', stance TEXT NOT NULL DEFAULT '',
    lots INTEGER NOT NULL, capital INTEGER NOT NULL, max_loss INTEGER,
    expected_income INTEGER NOT NULL, score REAL NOT NULL, refused TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (market, account, run_id, strategy_id),
    FOREIGN KEY (market, account, run_id) REFERENCES allocation_runs (market, account, run_id)
) STRICT;

CREATE VIEW industry_allocations_current AS
SELECT a.market, a.account, r.day, a.sector, SUM(a.capital) AS capital,
       1.0 * SUM(a.capital) / r.capital AS share
FROM allocations a JOIN allocation_runs r USING (market, account, run_id)
WHERE a.lots > 0 AND r.seq = (
    SELECT MAX(seq) FROM allocation_runs x WHERE x.market = a.market AND x.account = a.account)
GROUP BY a.market, a.account, r.day, a.sector;

CREATE TABLE marks (
    market TEXT NOT NULL, account TEXT NOT NULL, strategy_id TEXT NOT NULL, day TEXT NOT NULL,
    lots INTEGER NOT NULL, priority INTEGER NOT NULL, notes TEXT NOT NULL, at TEXT NOT NULL,
    PRIMARY KEY (market, account, strategy_id)
) STRICT;

CREATE TABLE order_intents (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    market TEXT NOT NULL, account TEXT NOT NULL, correlation_id TEXT NOT NULL,
    intent_id TEXT NOT NULL, position_id TEXT NOT NULL, purpose TEXT NOT NULL,
    leg INTEGER NOT NULL, slice INTEGER NOT NULL, attempt INTEGER NOT NULL,
    contract TEXT NOT NULL, kind TEXT NOT NULL, lot_size INTEGER NOT NULL, tick INTEGER NOT NULL,
    side INTEGER NOT NULL, units INTEGER NOT NULL CHECK (units > 0), limit_price INTEGER NOT NULL,
    priority INTEGER NOT NULL, why TEXT NOT NULL, created_at TEXT NOT NULL,
    state TEXT NOT NULL, note TEXT NOT NULL DEFAULT '', changed_at TEXT NOT NULL,
    UNIQUE (market, account, correlation_id),
    UNIQUE (market, account, intent_id, leg, slice, attempt)
) STRICT;
CREATE INDEX intents_by_position ON order_intents (market, account, position_id);
CREATE INDEX intents_by_state ON order_intents (market, account, state);

CREATE TABLE orders (
    market TEXT NOT NULL, account TEXT NOT NULL, order_id TEXT NOT NULL,
    correlation_id TEXT NOT NULL, contract TEXT NOT NULL, side INTEGER NOT NULL,
    units INTEGER NOT NULL, filled_units INTEGER NOT NULL, limit_price INTEGER NOT NULL,
    state TEXT NOT NULL, reason TEXT NOT NULL, updated_at TEXT NOT NULL,
    PRIMARY KEY (market, account, order_id),
    FOREIGN KEY (market, account, correlation_id)
        REFERENCES order_intents (market, account, correlation_id)
) STRICT;
CREATE INDEX orders_by_correlation ON orders (market, account, correlation_id);

CREATE TABLE fills (
    market TEXT NOT NULL, account TEXT NOT NULL, fill_id TEXT NOT NULL, order_id TEXT NOT NULL,
    correlation_id TEXT NOT NULL, contract TEXT NOT NULL, side INTEGER NOT NULL,
    units INTEGER NOT NULL CHECK (units > 0), price INTEGER NOT NULL, charges INTEGER NOT NULL,
    at TEXT NOT NULL, kind TEXT NOT NULL,
    PRIMARY KEY (market, account, fill_id),
    FOREIGN KEY (market, account, correlation_id)
        REFERENCES order_intents (market, account, correlation_id)
) STRICT;
CREATE INDEX fills_by_correlation ON fills (market, account, correlation_id);

CREATE VIEW trades AS
SELECT f.market, f.account, i.position_id, i.purpose, i.leg, f.fill_id, f.order_id,
       f.correlation_id, f.contract, f.side, f.units, f.price, f.charges, f.at, f.kind
FROM fills f JOIN order_intents i USING (market, account, correlation_id);

CREATE VIEW positions AS
SELECT market, account, position_id, leg, contract, SUM(side * units) AS net_units,
       SUM(-side * units * price) AS cash, SUM(charges) AS charges, COUNT(*) AS fills,
       MIN(at) AS opened_at
FROM trades GROUP BY market, account, position_id, leg, contract;

CREATE TABLE exit_requests (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    market TEXT NOT NULL, account TEXT NOT NULL, request_id TEXT NOT NULL,
    position_id TEXT NOT NULL, revision INTEGER NOT NULL, target_lots TEXT NOT NULL,
    percent INTEGER, who TEXT NOT NULL, at TEXT NOT NULL, state TEXT NOT NULL,
    note TEXT NOT NULL DEFAULT '',
    UNIQUE (market, account, request_id),
    UNIQUE (market, account, position_id, revision, target_lots)
) STRICT;

CREATE TABLE exit_decisions (
    market TEXT NOT NULL, account TEXT NOT NULL, position_id TEXT NOT NULL, rule TEXT NOT NULL,
    reason TEXT NOT NULL, urgency INTEGER NOT NULL, fires INTEGER NOT NULL,
    closeness REAL NOT NULL, target_lots TEXT NOT NULL, sentence TEXT NOT NULL, at TEXT NOT NULL,
    PRIMARY KEY (market, account, position_id, rule)
) STRICT;

CREATE TABLE exit_firings (
    market TEXT NOT NULL, account TEXT NOT NULL, position_id TEXT NOT NULL, rule TEXT NOT NULL,
    at TEXT NOT NULL, sentence TEXT NOT NULL,
    PRIMARY KEY (market, account, position_id, rule, at)
) STRICT;

CREATE TABLE position_state (
    market TEXT NOT NULL, account TEXT NOT NULL, position_id TEXT NOT NULL,
    peak_pnl INTEGER NOT NULL,
    PRIMARY KEY (market, account, position_id)
) STRICT;

CREATE TABLE heartbeats (
    market TEXT NOT NULL, account TEXT NOT NULL, at TEXT NOT NULL, real_at TEXT NOT NULL,
    pid INTEGER NOT NULL, note TEXT NOT NULL,
    PRIMARY KEY (market, account)
) STRICT;

CREATE TABLE alerts (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    market TEXT NOT NULL, account TEXT NOT NULL, at TEXT NOT NULL, level TEXT NOT NULL,
    text TEXT NOT NULL
) STRICT;

CREATE TABLE kill_switch (
    market TEXT NOT NULL, account TEXT NOT NULL, engaged INTEGER NOT NULL,
    flatten INTEGER NOT NULL, reason TEXT NOT NULL, at TEXT,
    PRIMARY KEY (market, account)
) STRICT;

CREATE TABLE replay_clock (
    market TEXT NOT NULL, account TEXT NOT NULL, at TEXT NOT NULL,
    PRIMARY KEY (market, account)
) STRICT;

CREATE TABLE send_lease (
    market TEXT NOT NULL, account TEXT NOT NULL, token TEXT NOT NULL, pid INTEGER NOT NULL,
    PRIMARY KEY (market, account)
) STRICT;
