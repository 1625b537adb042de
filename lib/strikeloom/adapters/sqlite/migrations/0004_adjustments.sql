-- Contracts that the exchange changed while a leg of a position held them: positions are computed
-- from fills and these rows, in the order of time. ``id`` is made by the client and ``version``
-- grows with every change, for a copy of the store elsewhere.

CREATE TABLE contract_adjustments (
    market TEXT NOT NULL, account TEXT NOT NULL, position_id TEXT NOT NULL, leg INTEGER NOT NULL,
    day TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, old_contract TEXT NOT NULL,
    contract TEXT NOT NULL, kind TEXT NOT NULL, lot_size INTEGER NOT NULL, tick INTEGER NOT NULL,
    new_units INTEGER NOT NULL, old_units INTEGER NOT NULL, cause TEXT NOT NULL,
    recorded_at TEXT NOT NULL,
    PRIMARY KEY (market, account, position_id, leg, day, old_contract),
    UNIQUE (id)
) STRICT;

-- First day on which a leg holds its contract under the present name, where it was adjusted.
ALTER TABLE position_legs ADD COLUMN since TEXT;
