"""Places of the figures of a contract and of a candidate in the kernels' tables."""

from __future__ import annotations

# of a contract; the first eleven are sums over the legs, weighted by units
SUMS = 11
PRICE, DELTA, GAMMA, THETA, VEGA, DECAY, SMILE_WORTH, REAL_WORTH = range(8)
# more than in the real world where its width is one error narrower, and wider
NARROWER, WIDER = 8, 9
AGREED = 10
STRIKE, IS_CALL, SCALE, IS_LATER, ERROR_SQUARED = range(11, 16)
BOUGHT_COST, SOLD_COST, ORDER_COST = range(16, 19)
SMILE_BELOW, REAL_BELOW, SMILE_PUT, REAL_PUT = range(19, 23)
CONTRACT_FIGURES = 23

# of a candidate; breakevens follow
PREMIUM, MAX_PROFIT, MAX_LOSS, COSTS, ERROR, WIDTH_ERROR = range(6)
FIRST_GREEK = 6  # delta, gamma, theta, vega, decay
FIRST_DENSITY = 11  # chance, mean, tail of the smile's density, then of the real world's
CANDIDATE_FIGURES = 17
