"""A structure from legs as a person writes them, at the closes of a chain."""

from __future__ import annotations

from collections.abc import Sequence

from strikeloom.domain.instruments import FutureContract, InstrumentKind, OptionContract, Share
from strikeloom.domain.legs import Leg
from strikeloom.domain.market import MarketView, Outlook
from strikeloom.domain.money import paise, rupees
from strikeloom.domain.templates import (
    Family,
    Stance,
    StrategyTemplate,
    Tier,
    VolatilityUse,
)
from strikeloom.errors import DataError, WrongUsage
from strikeloom.quant.quoted_width import BUSY_LOTS
from strikeloom.research.known_chain import KnownChain
from strikeloom.strategy_creation.chain import Chain, ChainExpiry
from strikeloom.strategy_creation.identify import identify
from strikeloom.strategy_creation.leg_text import NO_EXPIRY, parse_legs
from strikeloom.strategy_creation.structure import Structure

#: Of legs that the catalogue has no structure of.
_OWN = StrategyTemplate(
    name="own_legs",
    title="Own legs",
    family=Family.ADVANCED,
    legs=(),
    outlooks=frozenset(Outlook),
    volatility=VolatilityUse.EITHER,
    stance=Stance.FLAT,
    tier=Tier.VOLATILITY,
    exit_plan="",
)


def no_view(chain: Chain) -> MarketView:
    """View of someone who has none: it enters no figure."""
    return MarketView(chain.underlying.symbol, chain.day, Outlook.NEUTRAL, 0.0, ())


def own_structure(
    known: KnownChain, texts: Sequence[str], expiry: str = ""
) -> tuple[Structure, tuple[StrategyTemplate, ...]]:
    """Structure of legs at their closes, and the templates that they may be.

    Parameters
    ----------
    texts : sequence of str
        As ``strikeloom identify`` reads them.
    expiry : str
        Of options that state none; empty: the front.

    Raises
    ------
    WrongUsage
        When a text is no leg, none is an option, or the underlying is not what the market has.
    DataError
        When a contract is not listed or did not trade that day; names the nearest that did.
    """
    parsed = parse_legs(texts)
    if not any(isinstance(leg.instrument, OptionContract) for leg in parsed):
        raise WrongUsage(f"legs {', '.join(texts)} have no option; write one at least")
    legs: list[Leg] = []
    volumes: list[int] = []
    for leg in parsed:
        if isinstance(leg.instrument, OptionContract):
            found, lots = _option(known, leg, leg.instrument, expiry)
            legs.append(found)
            volumes.append(lots)
    nearest = min(it.expiry for leg in legs if isinstance(it := leg.instrument, OptionContract))
    horizon = known.whole.by_date[nearest]
    for place, leg in enumerate(parsed):
        if not isinstance(leg.instrument, OptionContract):
            found, lots = _underlying(known, leg, horizon)
            legs.insert(place, found)
            volumes.insert(place, lots)
    names = identify(legs)
    plain = next((item for item in names if not item.cash_secured), _OWN)
    nothing = tuple(float("nan") for _ in legs)
    view = no_view(known.whole)
    return Structure(plain, known.whole, view, tuple(legs), nothing, tuple(volumes)), names


def _option(known: KnownChain, leg: Leg, asked: OptionContract, expiry: str) -> tuple[Leg, int]:
    """Leg at the close of its contract, and the lots it traded."""
    it = known.expiry(expiry if asked.expiry == NO_EXPIRY else asked.expiry)
    strike = rupees(asked.strike)
    rows = known.listed[it.expiry]
    mine = rows[rows["right"] == asked.right.value]
    row = mine[mine["strike"] == strike]
    traded = mine.loc[mine["traded"], "strike"]
    if row.empty or not bool(row["traded"].iloc[0]):
        near = sorted(traded, key=lambda level: abs(level - strike))[:3]
        why = "is not listed" if row.empty else f"did not trade on {known.whole.day}"
        nearest = ", ".join(f"{level:g}" for level in sorted(near)) or "none"
        raise DataError(
            f"{known.symbol} {strike:g} {asked.right} of {it.expiry} {why}; nearest strikes that "
            f"traded: {nearest}"
        )
    lot = int(row["lot_size"].iloc[0])
    if lot <= 0:
        raise DataError(
            f"the lot size of {known.symbol} {strike:g} {asked.right} of {it.expiry} is not known "
            f"on {known.whole.day}: the exchange's file of the day lacks it"
        )
    chain = known.whole
    option = OptionContract(
        known.symbol, it.expiry, asked.strike, asked.right,
        kind=chain.underlying.kind, lot_size=lot, tick=chain.tick,
    )  # fmt: skip
    price = paise(row["close"].iloc[0], what=f"close of {option.label}")
    return Leg(option, leg.side, leg.lots, price), int(row["lots_traded"].iloc[0])


def _underlying(known: KnownChain, leg: Leg, horizon: ChainExpiry) -> tuple[Leg, int]:
    """Leg in the share of a stock or the future of an index, and the lots it traded."""
    asked, quote = leg.instrument, horizon.underlying
    is_stock = known.whole.underlying.kind is InstrumentKind.STOCK
    if is_stock is not isinstance(asked, Share):
        held = "its share: write SIDE UNITS SHARE" if is_stock else "its future: write SIDE FUT"
        raise WrongUsage(f"a structure on {known.symbol} holds {held}")
    if quote is None:
        lacking = "its share has no price" if is_stock else "no future traded that lives so long"
        raise DataError(
            f"{known.symbol} on {known.whole.day}, options until {horizon.expiry}: {lacking}"
        )
    have = quote.instrument
    if (
        isinstance(asked, FutureContract)
        and isinstance(have, FutureContract)
        and asked.expiry not in (NO_EXPIRY, have.expiry)
    ):
        raise DataError(
            f"the future of {known.symbol} beside options until {horizon.expiry} is that of "
            f"{have.expiry}, not of {asked.expiry}; leave its expiry out"
        )
    price = paise(quote.price, what=f"price of {have.label}")
    return Leg(have, leg.side, leg.lots, price), BUSY_LOTS if quote.lots is None else quote.lots
