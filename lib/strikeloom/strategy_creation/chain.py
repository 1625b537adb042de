"""Chains as stage 02 uses them: an underlying with its expiries and what prices them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from strikeloom.domain.instruments import FutureContract, Share, Underlying
from strikeloom.domain.outcomes import Rule
from strikeloom.domain.selectors import FRONT, NEXT, ListedExpiry
from strikeloom.domain.volatility import IvRank
from strikeloom.errors import NotBuildable
from strikeloom.nse.events import KnownEvent
from strikeloom.quant.probability.past_moves import PastMoves
from strikeloom.quant.smile.curves import Curves
from strikeloom.quant.smile.fit import SmileKind
from strikeloom.strategy_creation.flow import Flow

if TYPE_CHECKING:
    import pandas as pd


class Smile(NamedTuple):
    """Fitted smile of one expiry, shape (1,), and the quality of the fit.

    ``error`` is the weighted root mean square distance of its quotes, as a volatility; ``kind``
    is ``REFUSED`` where no option has a volatility.
    """

    curves: Curves
    kind: SmileKind
    used: int
    error: float


class UnderlyingQuote(NamedTuple):
    """The underlying as an instrument: a share at the level, a future at its own close.

    Attributes
    ----------
    price : float
        Rupees.
    years : float
        To the future's own expiry, by the calendar; of a share 0.
    lots : int or None
        Lots of the future traded that day; ``None`` of a share.
    """

    instrument: FutureContract | Share
    price: float
    years: float
    lots: int | None


@dataclass(frozen=True)
class ChainExpiry:
    """Options of one expiry, and what prices them.

    Attributes
    ----------
    years : float
        To expiry, on the year basis of its volatility (``iv.year_basis``).
    calendar : float
        Years to expiry by the calendar: interest accrues in these.
    forward : float
        Rupees.
    rows : pandas.DataFrame
        ``CONTRACTS`` columns; options that traded.
    smile : Smile
        As stage 01 fitted it.
    forecast : float or None
        Variance until expiry, forecast from daily bars, not annualised; ``None`` when the
        underlying lacks a complete month of bars.
    past : PastMoves
        Past moves of the market's index over the sessions until expiry.
    underlying : UnderlyingQuote or None
        What a leg in the underlying is; ``None`` where no future that lives as long traded.
    """

    expiry: date
    years: float
    calendar: float
    forward: float
    atm_iv: float
    rows: pd.DataFrame
    smile: Smile
    forecast: float | None
    past: PastMoves
    underlying: UnderlyingQuote | None

    @property
    def deviation(self) -> float:
        """Expected move until expiry: a standard deviation of the logarithm of the price."""
        return self.atm_iv * math.sqrt(self.years)


@dataclass(frozen=True)
class Chain:
    """One underlying's options of the expiries that templates name.

    Attributes
    ----------
    expiries : tuple of ChainExpiry
        Ascending. The front is the first: the expiry that the volatility of stage 01 comes from.
    missing : dict of date to str
        Expiries that templates name and that cannot be used, with the reason.
    monthly : datetime.date
        First expiry from the front on that is the last of its month.
    next : datetime.date or None
        First expiry listed after the front.
    flow : Flow
        Open interest and volume of all contracts of the front.
    tick : int
        Price step of its options in paise.
    events : tuple of KnownEvent
        Events that were known on the day and still to come, by day.
    """

    underlying: Underlying
    day: date
    spot: float
    rank: IvRank
    expiries: tuple[ChainExpiry, ...]
    next: date | None
    monthly: date
    missing: dict[date, str]
    flow: Flow
    tick: int
    events: tuple[KnownEvent, ...] = ()

    @property
    def front(self) -> ChainExpiry:
        """The expiry that the volatility of stage 01 comes from."""
        return self.expiries[0]

    @cached_property
    def by_date(self) -> dict[date, ChainExpiry]:
        """Usable expiries by date."""
        return {expiry.expiry: expiry for expiry in self.expiries}

    def listed(self, place: ListedExpiry) -> ChainExpiry:
        """Expiry by its place in the list.

        Raises
        ------
        NotBuildable
            When none is listed there, or it cannot be used.
        """
        if place is FRONT:
            return self.front
        wanted = self.next if place is NEXT else self.monthly
        if wanted is None:
            raise NotBuildable(
                f"no expiry is listed after {self.front.expiry}, and it needs two", rule=Rule.EXPIRY
            )
        found = self.by_date.get(wanted)
        if found is None:
            raise NotBuildable(
                f"its {place} expiry {wanted}: {self.missing[wanted]}", rule=Rule.EXPIRY
            )
        return found
