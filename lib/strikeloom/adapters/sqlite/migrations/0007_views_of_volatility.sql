-- A view says what options cost beside what is expected, with its own evidence. Views of earlier days
-- have none.

ALTER TABLE market_views ADD COLUMN volatility TEXT;
ALTER TABLE market_views ADD COLUMN richness REAL;
ALTER TABLE market_views ADD COLUMN profile TEXT NOT NULL DEFAULT '';
