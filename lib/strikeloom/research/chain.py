"""An option chain as a table, with what the whole expiry is known by."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from strikeloom.domain.instruments import InstrumentKind, Right
from strikeloom.nse.events import events_until
from strikeloom.ports.desk import Desk
from strikeloom.quant.black76 import greeks
from strikeloom.quant.implied.solver import Reason, implied_vol
from strikeloom.quant.quoted_width import quoted_width
from strikeloom.quant.smile.curves import volatility
from strikeloom.research.distribution import Distribution, distribution_of
from strikeloom.research.known_chain import KnownChain, read_chain
from strikeloom.research.priced import PricedStructure
from strikeloom.research.shown import page, percent, with_units
from strikeloom.research.structure import structure_from
from strikeloom.strategy_creation.chain import ChainExpiry

if TYPE_CHECKING:
    import pandas as pd

_UNITS = {
    "strike": "rupees", "right": "", "close": "rupees", "spread": "rupees", "lots": "lots",
    "open_interest": "units", "oi_change": "units", "iv": "% a year", "smile_iv": "% a year",
    "delta": "units", "theta": "rupees a day", "vega": "rupees a point", "note": "",
}  # fmt: skip
_SHOWN = 2.0  # expected moves from the forward within which the page has rows
_UNTRADED = "did not trade that day"
_OLDER = "last traded before the closing half hour"


@dataclass(frozen=True, eq=False)
class OptionChain:
    """One expiry of an underlying on a day.

    Attributes
    ----------
    expiry : str
    days : int
        Calendar days until it.
    spot, forward : float
        Rupees.
    atm_iv : float
        At the forward, % a year.
    forecast_iv : float or None
        Forecast of realised volatility until the expiry from daily bars, % a year; ``None`` where
        the underlying lacks a complete month of them.
    expected_move : float
        One standard deviation of the logarithm of the price until the expiry, %.
    percentile, regime : float or None, str
        Of the 30-day volatility in its own past; ``None`` and empty with too few days.
    lot_size : int
        Units of a lot; 0 where the source lacks it.
    expiries : tuple of str
        Every expiry that can be used.
    events : tuple of str
        Known events before the expiry.
    notes : tuple of str
        What could not be checked.
    table : DataFrame
        Every listed contract, by strike and right: close (empty when it did not trade), an
        estimate of the bid-ask spread as real quotes of that price and volume had it, lots traded,
        open interest and its change, the volatility of its close and of the smile, the Greeks
        of one unit on the smile, and a note where something is missing or old. Units are in
        ``table.attrs["units"]``.
    """

    symbol: str
    market: str
    day: str
    expiry: str
    days: int
    spot: float
    forward: float
    atm_iv: float
    forecast_iv: float | None
    expected_move: float
    percentile: float | None
    regime: str
    lot_size: int
    expiries: tuple[str, ...]
    events: tuple[str, ...]
    notes: tuple[str, ...]
    table: pd.DataFrame
    _known: KnownChain = field(repr=False)

    def structure(
        self, what: str | Sequence[str], *, lots: int = 1, risk: str = ""
    ) -> PricedStructure:
        """As ``research.structure``, on this chain; legs without an expiry have this one."""
        return structure_from(self._known, what, lots=lots, expiry=self.expiry, risk=risk)

    def distribution(self) -> Distribution:
        """As ``research.distribution``, of this expiry."""
        return distribution_of(self._known, self.expiry)

    def __repr__(self) -> str:
        """A few lines; the contracts are in ``table``."""
        return "\n".join(self._lines())

    def _repr_html_(self) -> str:
        reach = _SHOWN * self.expected_move / 100
        low, high = self.forward * math.exp(-reach), self.forward * math.exp(reach)
        near = self.table["strike"].between(low, high)
        return page(self._lines(), self.table[near])

    def _lines(self) -> list[str]:
        traded = int(self.table["close"].notna().sum())
        rank = (
            "percentile not known"
            if self.percentile is None
            else f"percentile {self.percentile:.0f} ({self.regime})"
        )
        return [
            f"{self.symbol} options of {self.expiry} on {self.day}, {self.market}",
            f"spot {self.spot:,.2f}, forward {self.forward:,.2f}, {self.days} days, lots of "
            f"{self.lot_size or 'unknown size'}",
            f"volatility at the money {percent(self.atm_iv)}, {rank}; forecast "
            f"{percent(self.forecast_iv)}; expected move {percent(self.expected_move, 2)}",
            f"{traded} of {len(self.table)} contracts traded",
            f"expiries: {', '.join(self.expiries)}",
            *(f"event: {text}" for text in self.events),
            *(f"note: {text}" for text in self.notes),
        ]


def chain(
    symbol: str,
    *,
    expiry: str | date = "",
    day: str | date = "",
    market: str = "",
    desk: Desk | None = None,
) -> OptionChain:
    """Options of an underlying for one expiry.

    Parameters
    ----------
    symbol : str
        A former name will do.
    expiry : str or datetime.date
        YYYY-MM-DD, or front, next or monthly; empty: front.
    day : str or datetime.date
        Trade date; empty: the last stored day.
    market : str
        nse, synthetic or synthetic-<seed>; empty: by ``config/desk.yaml``.
    desk : Desk, optional
        An open one, instead of a day and a market.

    Raises
    ------
    DataError
        When the symbol or expiry is not listed, or has no chain that day; names what is near.
    StageError
        When the volatility of the day is not calculated; names the command.

    Examples
    --------
    >>> research.chain("NIFTY", day="2026-02-10").table  # doctest: +SKIP
    """
    return chain_of(read_chain(symbol, day, market, desk), expiry)


def chain_of(known: KnownChain, expiry: str | date = "") -> OptionChain:
    """Options of one expiry of a chain that is read already."""
    it = known.expiry(expiry)
    whole, listed = known.whole, known.listed[it.expiry]
    rank, forecast = known.chain.rank, it.forecast
    return OptionChain(
        symbol=known.symbol,
        market=known.market,
        day=f"{whole.day}",
        expiry=f"{it.expiry}",
        days=(it.expiry - whole.day).days,
        spot=whole.spot,
        forward=it.forward,
        atm_iv=100 * it.atm_iv,
        forecast_iv=None if forecast is None else 100 * math.sqrt(forecast / it.years),
        expected_move=100 * it.deviation,
        percentile=rank.percentile,
        regime=rank.regime.value if rank.regime else "",
        lot_size=int(listed["lot_size"].max()),
        expiries=tuple(f"{day}" for day in whole.by_date),
        events=tuple(event.sentence(it.expiry) for event in events_until(whole.events, it.expiry)),
        notes=known.notes,
        table=_table(known, it),
        _known=known,
    )


def _table(known: KnownChain, it: ChainExpiry) -> pd.DataFrame:
    import pandas as pd

    rows = known.listed[it.expiry].sort_values(["strike", "right"])
    strike, is_call = rows["strike"].to_numpy(), rows["right"].to_numpy() == Right.CALL.value
    traded = rows["traded"].to_numpy()
    close = np.where(traded, rows["close"].to_numpy(), np.nan)
    discount = math.exp(-known.rate * it.calendar)
    own, why = implied_vol(close, it.forward, strike, it.years, is_call, discount)
    smile = volatility(it.smile.curves, np.log(strike / it.forward), it.years)
    found = greeks(it.forward, strike, it.years, smile, is_call, discount)
    lots = rows["lots_traded"].to_numpy(dtype=np.int64)
    is_index = np.full(len(rows), known.whole.underlying.kind is InstrumentKind.INDEX)
    settle = rows["settle"].to_numpy()
    older = traded & np.isfinite(settle) & (settle != close)
    notes = [
        _UNTRADED if not was else Reason(reason).text if reason else _OLDER if old else ""
        for was, reason, old in zip(traded, why, older, strict=True)
    ]
    frame = pd.DataFrame(
        {
            "strike": strike,
            "right": rows["right"].astype(str).to_numpy(),
            "close": close,
            "spread": quoted_width(close, lots, is_index),
            "lots": lots,
            "open_interest": rows["open_interest"].to_numpy(),
            "oi_change": rows["oi_change"].to_numpy(),
            "iv": 100 * own,
            "smile_iv": 100 * smile,
            "delta": found.delta,
            "theta": found.theta,
            "vega": found.vega / 100,
            "note": notes,
        }
    )
    return with_units(frame, _UNITS)
