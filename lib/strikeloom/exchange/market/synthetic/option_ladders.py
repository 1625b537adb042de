"""Listed contracts of a day, priced on the smile, in columns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
from numpy.typing import NDArray

from strikeloom.domain.instruments import InstrumentKind
from strikeloom.exchange.market.synthetic.smiles import atm_variance, volatility
from strikeloom.exchange.market.synthetic.underlyings import LISTINGS, SPLIT_RATIO, SPLIT_SYMBOL
from strikeloom.nse.expiries import monthly_expiries, weekly_expiries
from strikeloom.nse.sessions import years_array
from strikeloom.quant.black76 import price

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

RATE = 0.065
MONTHS, WEEKS = 3, 4
_SPLIT_PLACE = next(i for i, row in enumerate(LISTINGS) if row.symbol == SPLIT_SYMBOL)


@dataclass(frozen=True)
class Ladder:
    """Listed options of a day, one row a contract.

    ``place`` is the underlying's number, ``strike`` rupees of the day (after any split),
    ``number`` an id that stays with the contract through the split.
    """

    place: Ints
    expiry: NDArray[np.datetime64]
    strike: Floats
    is_call: NDArray[np.bool_]
    lot: Ints
    number: Ints
    order: Ints


def strike_ladders(low: Floats, high: Floats) -> list[Floats]:
    """Strikes of each underlying over the whole window, before any split."""
    ladders = []
    for row, down, up in zip(LISTINGS, low, high, strict=True):
        reach = 0.10 if row.kind is InstrumentKind.INDEX else 0.18
        first = np.floor(down * (1 - reach) / row.step)
        last = np.ceil(up * (1 + reach) / row.step)
        ladders.append(row.step * np.arange(max(1.0, first), last + 1))
    return ladders


def listed(day: date, ladders: list[Floats], *, split: bool) -> Ladder:
    """Contracts listed on a day."""
    months = monthly_expiries(day, MONTHS)
    weeks = weekly_expiries(day, WEEKS)
    parts: list[tuple[int, date, Floats, int]] = []
    for at, row in enumerate(LISTINGS):
        dates = sorted({*months, *weeks}) if row.weeklies else months
        parts += [(at, expiry, ladders[at], i) for i, expiry in enumerate(dates)]
    sizes = np.array([2 * len(strikes) for *_, strikes, _ in parts])
    place = np.repeat([p for p, *_ in parts], sizes).astype(np.int64)
    expiry = np.repeat(np.array([e for _, e, *_ in parts], dtype="datetime64[D]"), sizes)
    strike = np.concatenate([np.repeat(strikes, 2) for *_, strikes, _ in parts])
    is_call = np.tile([True, False], len(strike) // 2)
    order = np.repeat([i for *_, i in parts], sizes).astype(np.int64)
    ordinal = (expiry - np.datetime64("2020-01-01")).astype(np.int64)
    number = ((ordinal * 100 + place) * 10_000_000 + np.rint(strike * 100).astype(np.int64)) * 2
    lot = np.array([row.lot for row in LISTINGS])[place]
    if split:
        here = place == _SPLIT_PLACE
        strike = np.where(here, strike / SPLIT_RATIO, strike)
        lot = np.where(here, lot * SPLIT_RATIO, lot)
    return Ladder(place, expiry, strike, is_call, lot, number + is_call, order)


def forwards(ladder: Ladder, spot: Floats, years: Floats) -> Floats:
    """Forward of each row: the spot carried at the rate."""
    return np.asarray(spot[ladder.place] * np.exp(RATE * years))


def values(
    ladder: Ladder, spot: Floats, spot_vol: Floats, long_vol: Floats, now: datetime
) -> Floats:
    """Value of each row on the smile at a moment, in rupees, not rounded."""
    years = years_array(now, ladder.expiry)
    forward = forwards(ladder, spot, years)
    theta = atm_variance(spot_vol[ladder.place], long_vol[ladder.place], years)
    vol = volatility(np.log(ladder.strike / forward), theta, years)
    return price(forward, ladder.strike, years, vol, ladder.is_call, np.exp(-RATE * years))
