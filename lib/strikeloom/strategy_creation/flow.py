"""Open interest and volume of each chain, read for all chains at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from strikeloom.quant.flow import max_pain, put_call, walls

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_FEWEST = 10  # chains needed for a meaningful median


@dataclass(frozen=True)
class Flow:
    """Open interest and volume of one chain; NaN where the chain lacks the data.

    Attributes
    ----------
    put_call_interest, put_call_volume : float
        Put-call ratio of the expiry, by open units and by traded units.
    usual_interest, usual_volume : float
        Medians of these over the day's chains. Calls always trade more, so 1 is not the neutral
        level. NaN with fewer than ten chains.
    call_wall, put_wall : float
        Strikes with the largest open interest in calls and in puts, rupees.
    max_pain : float
        Level at which all open options together have the least value at expiry, rupees.
    """

    put_call_interest: float
    put_call_volume: float
    usual_interest: float
    usual_volume: float
    call_wall: float
    put_wall: float
    max_pain: float


def read_flow(rows: pd.DataFrame, chain: Ints, forward: Floats) -> list[Flow]:
    """Flow of each chain, in order.

    Pass all chains of the exchange, even for a view of one symbol: medians are over all.

    Parameters
    ----------
    rows : pandas.DataFrame
        ``CONTRACTS`` columns of options, one expiry a chain, untraded ones too.
    chain : ndarray of int64, shape (rows,)
        Chain of each row, from 0 without gaps.
    forward : ndarray, shape (chains,)
        Rupees.
    """
    count = len(forward)
    if not count:
        return []
    strike, interest, lots, size = (
        rows[name].to_numpy(dtype=np.float64)
        for name in ("strike", "open_interest", "lots_traded", "lot_size")
    )
    call = (rows["right"] == "CE").to_numpy()
    traded = lots * size
    wall = walls(strike, interest, call, forward, chain, count)
    by_interest = put_call(interest, call, chain, count)
    by_volume = put_call(traded, call, chain, count)
    columns = (
        by_interest,
        by_volume,
        np.full(count, _usual(by_interest)),
        np.full(count, _usual(by_volume)),
        wall.call,
        wall.put,
        max_pain(strike, interest, call, chain),
    )
    return [Flow(*(float(value) for value in row)) for row in zip(*columns, strict=True)]


def _usual(ratios: np.ndarray) -> float:
    known = ratios[np.isfinite(ratios)]
    return float(np.median(known)) if len(known) >= _FEWEST else float("nan")
