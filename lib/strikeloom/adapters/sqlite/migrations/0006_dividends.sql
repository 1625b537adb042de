-- Extraordinary dividends: paise a unit by which a held future was carried forward lower, or that a
-- held share pays; and what the shares of a leg paid outside the account, in paise.

ALTER TABLE contract_adjustments ADD COLUMN amount INTEGER NOT NULL DEFAULT 0;
ALTER TABLE position_legs ADD COLUMN dividends INTEGER NOT NULL DEFAULT 0;
