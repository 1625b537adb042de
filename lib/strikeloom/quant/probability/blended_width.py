"""Width of a real-world density: the forecast from daily bars blended with implied volatility.

The forecast follows the last sessions, and after a few wild ones it lies far above what options
cost, which know as much and more: neither alone is the best forecast of what comes. The blend is
linear in logarithms. Its weight and its error are measured (``benchmarks/forecast_width.py``), on
2026-11-30:

- NIFTY with India VIX, 2015-01 to 2026-07, 5, 10 and 21 sessions ahead: the error is least at a
  weight of 0.1 to 0.2 on the forecast and within 0.003 of that from 0 to 0.4; the loss QLIKE is
  lower at 0.3 than at either end, but at 21 sessions, where 0 is as good;
- stocks at the money on 50 days of 2026: least error at 0.2 of all and between 0.0 and 0.3 by
  horizon, QLIKE lower at 0.3.

The error is that of the logarithm of the width, without the noise of what came (the covariance of
the errors against the odd and the even sessions of a window): NIFTY's blend 0.22, 0.23 and 0.25
over ten years. The stocks of a day have 0.11 of it in common (0.12 by the slope on NIFTY's over
2025 and 2026, times NIFTY's ten years), and each has 0.15 of its own: 0.19.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Weight of the forecast's logarithm; the rest is at-the-money implied volatility's.
FORECAST_WEIGHT = 0.3
#: Standard error of the logarithm of the width.
INDEX_ERROR, STOCK_ERROR = 0.23, 0.19


def blended_variance(forecast: Floats, implied: Floats) -> Floats:
    """Variance until an expiry; NaN where either is.

    Parameters
    ----------
    forecast, implied : ndarray
        Variance until the expiry by each, positive, in the same unit.
    """
    return np.asarray(forecast**FORECAST_WEIGHT * implied ** (1 - FORECAST_WEIGHT))


def width_error(is_index: NDArray[np.bool_]) -> Floats:
    """Standard error of the logarithm of each width."""
    return np.where(is_index, INDEX_ERROR, STOCK_ERROR)
