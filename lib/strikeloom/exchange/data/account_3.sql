ALTER TABLE orders ADD COLUMN standing INTEGER NOT NULL DEFAULT 0;
ALTER TABLE orders ADD COLUMN leg TEXT NOT NULL DEFAULT '';
CREATE INDEX orders_by_standing ON orders (standing) WHERE standing > 0;
UPDATE events SET body = json_insert(body, '$[#]', 0, '$[#]', '');
CREATE TABLE standing (
    number INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, active INTEGER NOT NULL,
    ended_on TEXT NOT NULL, body TEXT NOT NULL
) STRICT;
CREATE INDEX active_standing ON standing (number) WHERE active > 0;
