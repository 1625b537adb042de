-- Volatility at constant maturities with its quality, and ranks of every window. Rows of the
-- method before hold none of it and are worked out again, so nothing is carried over.

DROP TABLE historical_iv_summary;
CREATE TABLE historical_iv_summary (
    market TEXT NOT NULL, symbol TEXT NOT NULL, day TEXT NOT NULL, method TEXT NOT NULL,
    spot REAL, atm_iv REAL, expiry TEXT, years REAL, forward REAL, forward_source TEXT NOT NULL,
    forward_error REAL, strikes_used INTEGER NOT NULL,
    atm_iv_7d REAL, atm_iv_30d REAL, atm_iv_60d REAL, atm_iv_90d REAL,
    model_free_30d REAL, vix_method REAL, rr25_30d REAL, bf25_30d REAL, term_slope REAL,
    rv_cc_10 REAL, rv_pk_10 REAL, rv_gk_10 REAL, rv_yz_10 REAL,
    rv_cc_20 REAL, rv_pk_20 REAL, rv_gk_20 REAL, rv_yz_20 REAL,
    rv_cc_60 REAL, rv_pk_60 REAL, rv_gk_60 REAL, rv_yz_60 REAL,
    iv_minus_rv REAL, pcr_volume REAL, pcr_oi REAL,
    expiries_listed INTEGER NOT NULL, expiries_traded INTEGER NOT NULL,
    options_listed INTEGER NOT NULL, options_traded INTEGER NOT NULL,
    options_fresh INTEGER NOT NULL,
    quality TEXT NOT NULL, flags TEXT NOT NULL, reason TEXT NOT NULL,
    PRIMARY KEY (market, symbol, day)
) STRICT;
CREATE INDEX iv_by_day ON historical_iv_summary (market, day);

DROP TABLE iv_percentiles;
CREATE TABLE iv_percentiles (
    market TEXT NOT NULL, symbol TEXT NOT NULL, day TEXT NOT NULL,
    atm_iv REAL, percentile REAL, rank REAL, regime TEXT, window_months INTEGER,
    sample INTEGER NOT NULL, needed INTEGER NOT NULL, reason TEXT NOT NULL,
    windows TEXT NOT NULL,
    PRIMARY KEY (market, symbol, day)
) STRICT;
