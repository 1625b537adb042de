ALTER TABLE positions ADD COLUMN settled_price INTEGER NOT NULL DEFAULT 0;
ALTER TABLE positions ADD COLUMN received INTEGER NOT NULL DEFAULT 0;
ALTER TABLE positions ADD COLUMN settled_on TEXT NOT NULL DEFAULT '';
ALTER TABLE positions ADD COLUMN received_on TEXT NOT NULL DEFAULT '';
CREATE TABLE variation (
    number INTEGER PRIMARY KEY AUTOINCREMENT, day TEXT NOT NULL, at TEXT NOT NULL,
    contract TEXT NOT NULL, product TEXT NOT NULL, units INTEGER NOT NULL,
    price INTEGER NOT NULL, amount INTEGER NOT NULL,
    UNIQUE (contract, product, day)
) STRICT;
CREATE TABLE short_deliveries (
    number INTEGER PRIMARY KEY AUTOINCREMENT, contract TEXT NOT NULL, tick INTEGER NOT NULL,
    units INTEGER NOT NULL CHECK (units > 0), price INTEGER NOT NULL, day TEXT NOT NULL,
    bought_in TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX open_short_deliveries ON short_deliveries (number) WHERE bought_in = '';
