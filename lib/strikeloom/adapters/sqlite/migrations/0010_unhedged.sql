-- The rule on loss counts net sold options, of puts as of calls, and has its name from that. A refusal
-- says how many rules fail; those stored do not know.

UPDATE outcomes SET rule = 'unhedged' WHERE rule = 'unlimited loss';
ALTER TABLE outcomes ADD COLUMN failed INTEGER;
