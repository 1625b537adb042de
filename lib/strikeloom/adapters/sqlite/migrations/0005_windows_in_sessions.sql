-- Windows of ranks are counted in sessions, no longer in calendar months. A percentile over other
-- days is another figure: stored ones are dropped, and the next run of stage 01 ranks every stored
-- day again from the volatilities, which stay.

DROP TABLE iv_percentiles;
CREATE TABLE iv_percentiles (
    market TEXT NOT NULL, symbol TEXT NOT NULL, day TEXT NOT NULL,
    atm_iv REAL, percentile REAL, rank REAL, regime TEXT, window_sessions INTEGER,
    sample INTEGER NOT NULL, needed INTEGER NOT NULL, reason TEXT NOT NULL,
    windows TEXT NOT NULL,
    PRIMARY KEY (market, symbol, day)
) STRICT;
