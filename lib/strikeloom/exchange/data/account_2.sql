ALTER TABLE orders ADD COLUMN filled_value INTEGER NOT NULL DEFAULT 0;
ALTER TABLE orders ADD COLUMN order_type TEXT NOT NULL DEFAULT 'LIMIT';
ALTER TABLE orders ADD COLUMN asked_type TEXT NOT NULL DEFAULT 'LIMIT';
ALTER TABLE orders ADD COLUMN trigger_price INTEGER NOT NULL DEFAULT 0;
ALTER TABLE orders ADD COLUMN triggered INTEGER NOT NULL DEFAULT 0;
ALTER TABLE orders ADD COLUMN product TEXT NOT NULL DEFAULT 'MARGIN';
ALTER TABLE orders ADD COLUMN disclosed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE orders ADD COLUMN after_market INTEGER NOT NULL DEFAULT 0;
ALTER TABLE orders ADD COLUMN release_at TEXT NOT NULL DEFAULT '';
ALTER TABLE orders ADD COLUMN modifications INTEGER NOT NULL DEFAULT 0;
ALTER TABLE orders ADD COLUMN code TEXT NOT NULL DEFAULT '';
ALTER TABLE orders ADD COLUMN entered_at TEXT NOT NULL DEFAULT '';
ALTER TABLE orders ADD COLUMN exchange_at TEXT NOT NULL DEFAULT '';
ALTER TABLE orders ADD COLUMN rank INTEGER NOT NULL DEFAULT 0;
UPDATE orders SET entered_at = placed_at, exchange_at = placed_at, rank = number;
UPDATE orders SET filled_value = (SELECT COALESCE(SUM(units * price), 0) FROM fills
    WHERE order_number = orders.number AND what = 'trade') WHERE filled > 0;
CREATE INDEX open_orders ON orders (number)
    WHERE state IN ('TRANSIT', 'PENDING', 'PART_TRADED');
CREATE INDEX orders_by_tag ON orders (correlation_id);
CREATE INDEX orders_by_update ON orders (updated_at);
ALTER TABLE fills ADD COLUMN product TEXT NOT NULL DEFAULT 'MARGIN';
CREATE INDEX fills_by_order ON fills (order_number);
CREATE INDEX fills_by_time ON fills (at);
CREATE TABLE conversions (
    number INTEGER PRIMARY KEY AUTOINCREMENT, contract TEXT NOT NULL, before TEXT NOT NULL,
    after TEXT NOT NULL, units INTEGER NOT NULL, at TEXT NOT NULL
) STRICT;
CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, order_number INTEGER NOT NULL,
    fill_number INTEGER NOT NULL, body TEXT NOT NULL
) STRICT;
CREATE TABLE cursors (name TEXT PRIMARY KEY, seq INTEGER NOT NULL) STRICT;
CREATE TABLE positions (
    contract TEXT NOT NULL, product TEXT NOT NULL, kind TEXT NOT NULL, lot_size INTEGER NOT NULL,
    tick INTEGER NOT NULL, day TEXT NOT NULL,
    carried_buy_units INTEGER NOT NULL, carried_buy_value INTEGER NOT NULL,
    carried_sell_units INTEGER NOT NULL, carried_sell_value INTEGER NOT NULL,
    day_buy_units INTEGER NOT NULL, day_buy_value INTEGER NOT NULL,
    day_sell_units INTEGER NOT NULL, day_sell_value INTEGER NOT NULL,
    PRIMARY KEY (contract, product)
) STRICT;
INSERT INTO positions
    SELECT contract, 'MARGIN', MAX(kind), MAX(lot_size), MAX(tick), MAX(substr(at, 1, 10)),
        0, 0, 0, 0, SUM(units * (side > 0)), SUM(units * price * (side > 0)),
        SUM(units * (side < 0)), SUM(units * price * (side < 0))
    FROM fills GROUP BY contract;
ALTER TABLE money ADD COLUMN cash INTEGER NOT NULL DEFAULT 0;
ALTER TABLE money ADD COLUMN day TEXT NOT NULL DEFAULT '';
ALTER TABLE money ADD COLUMN day_start INTEGER NOT NULL DEFAULT 0;
ALTER TABLE money ADD COLUMN booked INTEGER NOT NULL DEFAULT 0;
ALTER TABLE money ADD COLUMN day_charges INTEGER NOT NULL DEFAULT 0;
ALTER TABLE money ADD COLUMN killed_on TEXT NOT NULL DEFAULT '';
UPDATE money SET cash = start + (SELECT COALESCE(SUM(-side * units * price - charges), 0)
    FROM fills);
UPDATE money SET day_start = cash;
