"""Places of the figures of a contract and of a candidate in the kernels' tables."""

from __future__ import annotations

# of a contract; the first eight are sums over the legs, weighted by units
SUMS = 8
PRICE, DELTA, GAMMA, THETA, VEGA, DECAY, SMILE_WORTH, REAL_WORTH = range(SUMS)
STRIKE, IS_CALL, SCALE, IS_LATER, ERROR_SQUARED = range(8, 13)
BOUGHT_COST, SOLD_COST, ORDER_COST = range(13, 16)
SMILE_BELOW, REAL_BELOW, SMILE_PUT, REAL_PUT = range(16, 20)
CONTRACT_FIGURES = 20

# of a candidate; breakevens follow
PREMIUM, MAX_PROFIT, MAX_LOSS, COSTS, ERROR = range(5)
FIRST_GREEK = 5  # delta, gamma, theta, vega, decay
FIRST_DENSITY = 10  # chance, mean, tail of the smile's density, then of the real world's
CANDIDATE_FIGURES = 16
