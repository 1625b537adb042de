"""The exchange's volatility index method on the indices of a day."""

from __future__ import annotations

from datetime import date

import numpy as np
from numpy.typing import NDArray

from strikeloom.iv_history.chains import DayChains
from strikeloom.nse.edges import expected_days
from strikeloom.quant.vix import between_months, strip_variance
from strikeloom.settings.iv import IvSettings

Floats = NDArray[np.float64]

_DAYS = 30.0
#: Sessions left, today and the last day included, at which the near month is rolled to the next:
#: three trading days in the white paper.
_ROLL = 3
_FAR = 14  # calendar days from which counting sessions is unnecessary
#: Rupees below which a close is no evidence of a quote. The exchange leaves out quotes wider than
#: 30 % of their mid, as were 30 to 45 % of those of a NIFTY monthly at 1 to 2.5 rupees (September
#: 2019) and half of those below 0.6. Chosen on 2024, judged on 2025 and 2026.
LEAST_PRICE = 1.5


def vix_method(chains: DayChains, day: date, settings: IvSettings) -> Floats:
    """30-day volatility of each index from its near and next monthly expiry.

    Monthly expiries are those whose future traded; its close is the forward. Prices are closes of
    options that traded at more than one price, and not for next to nothing: how far the strip
    reaches decides the most, and the exchange knows from its quotes what no close shows.

    Returns
    -------
    ndarray, shape (underlyings,)
        As a fraction; NaN for a stock, and for an index without two such months.
    """
    vols = np.full(len(chains.symbols), np.nan)
    usable = chains.traded & chains.moved & (chains.close >= LEAST_PRICE)
    for index in np.flatnonzero(chains.is_index):
        listed = np.flatnonzero((chains.underlying == index) & np.isfinite(chains.future)).tolist()
        months = [row for row in listed if not _rolled(day, chains.last_day[row].item())][:2]
        if len(months) < 2:
            continue
        variances = [_variance(chains, row, usable, settings.rate) for row in months]
        times = (float(chains.calendar_years[months[0]]), float(chains.calendar_years[months[1]]))
        vols[index] = between_months(variances[0], variances[1], times, _DAYS)
    return vols


def _rolled(day: date, expiry: date) -> bool:
    if (expiry - day).days >= _FAR:
        return False
    return len(expected_days(day, expiry)) <= _ROLL


def _variance(chains: DayChains, group: int, usable: NDArray[np.bool_], rate: float) -> float:
    rows = np.flatnonzero(chains.group == group)
    listed = np.unique(chains.strike[rows])
    use = rows[usable[rows]]
    return strip_variance(
        chains.strike[use],
        chains.close[use],
        chains.is_call[use],
        chains.lots[use],
        listed,
        float(chains.future[group]),
        float(chains.calendar_years[group]),
        rate,
    )
