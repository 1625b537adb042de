"""Named shocks: sudden moves of price and volatility, and what legs lose and need after them.

Statistics do not know the next crash, so limits rest on named moves that happened or could. They
are dated rows (``risk/data/shocks.csv``): on a day only what was known by then is in force.

A shock moves every forward of an underlying by one share and every leg's volatility, at its own
strike, by one factor, at once: no time passes. The clearing corporation then scans wider by the
shock's factor. A shock of the market reaches a stock by its beta.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from typing import NamedTuple

import numpy as np

from strikeloom.domain.instruments import InstrumentKind
from strikeloom.errors import DataError
from strikeloom.quant.black76 import price
from strikeloom.risk.margin import MarginParts, margin_parts
from strikeloom.risk.margin_legs import SHORTEST, Floats, MarginLegs, checked
from strikeloom.risk.parameters import SpanParameters, parameter_rows

#: No price falls below this share of itself: a beta above 2.7 would turn it negative in 2020-03.
_LEAST = 0.05


@dataclass(frozen=True, slots=True)
class Shock:
    """One named move.

    Attributes
    ----------
    name : str
        Identity in settings and stored rows.
    title : str
        For display: ``gap of 10 % down``.
    of_market : bool
        Whether it moves the market, and a stock by its beta, or the underlying itself.
    price : float
        Share by which every forward moves: -0.05 is 5 % down.
    volatility : float
        Factor of every leg's volatility.
    scan : float
        Factor of the clearing corporation's price scan afterwards.
    """

    name: str
    title: str
    of_market: bool
    price: float
    volatility: float
    scan: float

    def move(self, beta: float | Floats = 1.0) -> Floats:
        """Factor of the underlying's price; ``beta`` counts in a shock of the market."""
        share = self.price * np.asarray(beta if self.of_market else 1.0, dtype=np.float64)
        found: Floats = np.maximum(1.0 + share, _LEAST)
        return found


class AfterShock(NamedTuple):
    """Legs after a shock; rupees, shape (n,).

    Attributes
    ----------
    margin : MarginParts
        Estimate at the moved price and volatility, by the widened scan.
    profit : ndarray
        Change of the legs' model value; of futures, of what is settled in cash.
    """

    margin: MarginParts
    profit: Floats


@cache
def shocks(kind: InstrumentKind, day: date) -> tuple[Shock, ...]:
    """Shocks of an index or a stock that were known on a day, in the table's order."""
    return tuple(
        Shock(
            row["name"],
            row["title"],
            row["moves"] == "market",
            float(row["price"]),
            float(row["volatility"]),
            float(row["scan"]),
        )
        for row in parameter_rows("shocks")
        if kind.value in row["kinds"].split() and row["effective_from"] <= day.isoformat()
    )


def shocks_named(names: Iterable[str], kind: InstrumentKind, day: date) -> tuple[Shock, ...]:
    """Shocks of these names that are in force, in their order.

    One of another kind or of a later day is left out: settings name shocks for all of them.

    Raises
    ------
    DataError
        When the table has no shock of a name; names those that it has.
    """
    here = {shock.name: shock for shock in shocks(kind, day)}
    known = [row["name"] for row in parameter_rows("shocks")]
    wanted = list(names)
    for name in wanted:
        if name not in known:
            raise DataError(f"no shock {name!r} is known; known: {', '.join(known)}", name=name)
    return tuple(here[name] for name in wanted if name in here)


def widened(parameters: SpanParameters, shock: Shock) -> SpanParameters:
    """Margin parameters after a shock: the price scan, in shares and in deviations, is wider."""
    return replace(
        parameters,
        price_scan=parameters.price_scan * shock.scan,
        scan_sigmas=parameters.scan_sigmas * shock.scan,
    )


def after_shock(
    legs: MarginLegs,
    scan_vol: Floats,
    parameters: SpanParameters,
    shock: Shock,
    beta: float | Floats = 1.0,
) -> AfterShock:
    """Margin and profit of n structures after a shock.

    Parameters
    ----------
    legs, scan_vol, parameters
        As ``margin_parts``.
    beta : float or ndarray, shape (n,)
        Of each underlying to the market; counts in shocks of the market.

    Raises
    ------
    DataError
        As ``margin_parts``.
    """
    whole = checked(legs, scan_vol)
    factor = np.broadcast_to(shock.move(beta), scan_vol.shape)[:, None]
    moved = replace(
        legs,
        forward=legs.forward * factor,
        vol=legs.vol * shock.volatility,
        value=np.full(legs.units.shape, np.nan),
    )
    margin = margin_parts(moved, scan_vol, widened(parameters, shock))
    time = np.maximum(whole.years, SHORTEST)
    before = price(whole.forward, whole.strikes, time, whole.vol, whole.is_call)
    after = price(
        whole.forward * factor, whole.strikes, time, whole.vol * shock.volatility, whole.is_call
    )
    return AfterShock(margin, (whole.units * (after - before)).sum(axis=1))
