"""The synthetic market: seeded, deterministic, free of static arbitrage.

Invented names, real rules: the exchange's calendar, expiry weekdays, ticks and file traps
(untraded rows, a split, final settlements), so that everything built on real data can be
proven without any.
"""

from strikeloom.exchange.market.synthetic.generate import (
    generate_synthetic,
    market_name,
    seed_of,
    synthetic_days,
)

__all__ = ["generate_synthetic", "market_name", "seed_of", "synthetic_days"]
