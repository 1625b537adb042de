"""Read one underlying on a day: its chain, every expiry that can be used, and all its contracts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from strikeloom.desk import open_desk
from strikeloom.domain.results import Stage
from strikeloom.domain.selectors import FRONT, MONTHLY, NEXT, ListedExpiry
from strikeloom.errors import DataError, WrongUsage
from strikeloom.ports.desk import Desk
from strikeloom.settings.creation import CreationSettings
from strikeloom.strategy_creation.chain import Chain, ChainExpiry
from strikeloom.strategy_creation.listing import (
    chain_expiry,
    forecast_expiries,
    read_listing,
    why_unusable,
)
from strikeloom.strategy_creation.load import load_chains

if TYPE_CHECKING:
    import pandas as pd

_PLACES: tuple[ListedExpiry, ...] = (FRONT, NEXT, MONTHLY)


@dataclass(frozen=True, eq=False)
class KnownChain:
    """One underlying on a day.

    Attributes
    ----------
    chain : Chain
        As strategies see it: the front, the next and the monthly expiry.
    whole : Chain
        With every expiry that has a smile.
    listed : dict of date to DataFrame
        ``CONTRACTS`` by expiry, untraded ones too.
    notes : tuple of str
        What could not be checked, and former names.
    """

    market: str
    chain: Chain
    whole: Chain
    listed: dict[date, pd.DataFrame]
    creation: CreationSettings
    rate: float
    notes: tuple[str, ...]

    @property
    def symbol(self) -> str:
        """Of the underlying."""
        return self.chain.underlying.symbol

    def expiry(self, name: str | date = "") -> ChainExpiry:
        """Expiry by its day, or by its place: front (also when empty), next, monthly.

        Raises
        ------
        DataError
            When it is not listed or has no smile: lists those that can be used.
        """
        if not isinstance(name, date):
            if name in ("", *_PLACES):
                return self.chain.listed(ListedExpiry(name or FRONT))
            name = day_of(name, "expiry")
        if name in self.whole.by_date:
            return self.whole.by_date[name]
        why = self.whole.missing.get(name, "it is not listed")
        usable = ", ".join(f"{day}" for day in self.whole.by_date)
        raise DataError(
            f"expiry {name} of {self.symbol} on {self.chain.day}: {why}; usable: {usable}"
        )


def read_chain(
    symbol: str, day: str | date = "", market: str = "", desk: Desk | None = None
) -> KnownChain:
    """Chain of an underlying; a desk is opened for it, and closed, unless one is given.

    Raises
    ------
    WrongUsage
        When a desk is given and a day or market besides.
    DataError
        When the symbol is not listed (names the nearest) or has no chain that day (names why).
    StageError
        When the volatility of the day is not calculated; names the command.
    """
    if desk is None:
        given = day_of(day, "day") if day else None
        with open_desk(market, given, stage=Stage.STRATEGY_CREATION) as opened:
            return _read(opened, symbol)
    if day or market:
        raise WrongUsage(
            f"a desk of {desk.market} on {desk.day} is given, and day {str(day)!r} and market "
            f"{market!r} besides; leave these out, or the desk"
        )
    return _read(desk, symbol)


def day_of(given: str | date, what: str) -> date:
    """A day as text or date.

    Raises
    ------
    WrongUsage
        When the text is no day.
    """
    if isinstance(given, date):
        return given
    try:
        return date.fromisoformat(given)
    except ValueError:
        places = f" or {', '.join(_PLACES)}" if what == "expiry" else ""
        raise WrongUsage(f"{what} {given!r} is not a day; write YYYY-MM-DD{places}") from None


def _read(desk: Desk, symbol: str) -> KnownChain:
    if not symbol.strip():
        raise WrongUsage("no symbol is given; name an underlying, for example 'NIFTY'")
    loaded = load_chains(desk, [symbol])
    if not loaded.chains:
        (name,), reason = loaded.universe, loaded.refused[0].reason
        raise DataError(f"{name} has no chain on {desk.day}, market {desk.market}: {reason}")
    ((name, chain),) = loaded.chains.items()
    contracts = desk.history.as_of(desk.day).contracts(desk.day, symbols=[name])
    listing = read_listing(desk, contracts)
    others = [expiry for expiry in listing.expiries[name] if expiry not in chain.by_date]
    why = {expiry: why_unusable(listing, name, expiry) for expiry in others}
    more = [expiry for expiry in others if not why[expiry]]
    variance = forecast_expiries(desk, loaded.bars, {name: more})
    added = [
        chain_expiry(
            desk, listing, chain.underlying, expiry, chain.spot, variance.get((name, expiry)),
            loaded.indices,
        )
        for expiry in more
    ]  # fmt: skip
    whole = replace(
        chain,
        expiries=tuple(sorted((*chain.expiries, *added), key=lambda item: item.expiry)),
        missing={expiry: reason for expiry, reason in why.items() if reason},
    )
    listed = {expiry: listing.options[name, expiry] for expiry in listing.expiries[name]}
    settings = desk.settings
    return KnownChain(
        desk.market, chain, whole, listed, settings.creation, settings.iv.rate, loaded.warnings
    )
