-- The rule on loss counts net sold options, of puts as of calls, and has its name from that.

UPDATE outcomes SET rule = 'unhedged' WHERE rule = 'unlimited loss';
