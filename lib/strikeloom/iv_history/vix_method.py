"""The exchange's volatility index method on the indices of a day."""

from __future__ import annotations

from datetime import date

import numpy as np
from numpy.typing import NDArray

from strikeloom.iv_history.columns import Columns
from strikeloom.nse.sessions import trading_days
from strikeloom.quant.vix import between_months, strip_variance
from strikeloom.settings.iv import IvSettings

Floats = NDArray[np.float64]

_DAYS = 30.0
#: With so many sessions left, today and the last day counted, the near month is left: the
#: white paper's three trading days.
_ROLL = 3
_FAR = 14  # calendar days from which the sessions need no counting


def vix_method(c: Columns, day: date, settings: IvSettings) -> Floats:
    """Volatility of 30 days of each index from its near and next month.

    Months are the expiries whose future traded; its close is the forward. Prices are closes of
    options that traded in the closing half hour at more than one price.

    Returns
    -------
    ndarray, shape (chains,)
        As a fraction; NaN for a stock, and for an index without two such months.
    """
    found = np.full(len(c.symbols), np.nan)
    usable = c.fresh & c.moved
    for chain in np.flatnonzero(c.is_index):
        listed = np.flatnonzero((c.chain == chain) & np.isfinite(c.future)).tolist()
        months = [g for g in listed if not _rolled(day, c.ends[g].item())][:2]
        if len(months) < 2:
            continue
        variances = [_variance(c, g, usable, settings.rate) for g in months]
        times = (float(c.calendar[months[0]]), float(c.calendar[months[1]]))
        found[chain] = between_months(variances[0], variances[1], times, _DAYS)
    return found


def _rolled(day: date, expiry: date) -> bool:
    if (expiry - day).days >= _FAR:
        return False
    return len(trading_days(day, expiry)) <= _ROLL


def _variance(c: Columns, group: int, usable: NDArray[np.bool_], rate: float) -> float:
    rows = np.flatnonzero(c.group == group)
    listed = np.unique(c.strike[rows])
    use = rows[usable[rows]]
    return strip_variance(
        c.strike[use],
        c.close[use],
        c.is_call[use],
        c.lots[use],
        listed,
        float(c.future[group]),
        float(c.calendar[group]),
        rate,
    )
