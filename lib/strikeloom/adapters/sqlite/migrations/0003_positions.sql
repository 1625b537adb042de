-- Positions as a table, kept in step with the fills by the transaction that inserts a fill. An
-- audit replays the fills and must agree. ``id`` is made by the client and ``version`` grows with
-- every change, for a copy of the store elsewhere. Rows of the fills already here are made when
-- the file is opened.

DROP VIEW positions;

CREATE TABLE positions (
    market TEXT NOT NULL, account TEXT NOT NULL, position_id TEXT NOT NULL,
    id TEXT NOT NULL, version INTEGER NOT NULL,
    open INTEGER NOT NULL, revision INTEGER NOT NULL, opened_at TEXT NOT NULL,
    first_fill TEXT NOT NULL,
    PRIMARY KEY (market, account, position_id),
    UNIQUE (id)
) STRICT;
CREATE INDEX positions_open ON positions (market, account, opened_at) WHERE open = 1;

CREATE TABLE position_legs (
    market TEXT NOT NULL, account TEXT NOT NULL, position_id TEXT NOT NULL, leg INTEGER NOT NULL,
    contract TEXT NOT NULL, kind TEXT NOT NULL, lot_size INTEGER NOT NULL, tick INTEGER NOT NULL,
    net_units INTEGER NOT NULL, first_units INTEGER NOT NULL, entry_value INTEGER NOT NULL,
    open_value INTEGER NOT NULL, realised INTEGER NOT NULL, charges INTEGER NOT NULL,
    PRIMARY KEY (market, account, position_id, leg),
    FOREIGN KEY (market, account, position_id)
        REFERENCES positions (market, account, position_id)
) STRICT;

-- An intent whose group has nothing left to do is closed and read no more; a new fill of its
-- position opens it again.
ALTER TABLE order_intents ADD COLUMN closed INTEGER NOT NULL DEFAULT 0;
CREATE INDEX intents_unclosed ON order_intents (market, account, intent_id) WHERE closed = 0;
CREATE INDEX intents_by_day ON order_intents (market, account, created_at);
CREATE INDEX orders_unended ON orders (market, account, correlation_id)
    WHERE state NOT IN ('TRADED', 'CANCELLED', 'REJECTED', 'EXPIRED');
CREATE INDEX orders_by_day ON orders (market, account, updated_at);
CREATE INDEX requests_open ON exit_requests (market, account, seq)
    WHERE state IN ('pending', 'accepted');
