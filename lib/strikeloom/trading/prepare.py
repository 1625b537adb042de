"""Reads the desk for trading: a snapshot of the market, and intents at its prices."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from strikeloom.domain.instruments import (
    FUTURE_RIGHT,
    SHARE_RIGHT,
    FutureContract,
    Instrument,
    Share,
)
from strikeloom.domain.orders import OrderIntent, Purpose
from strikeloom.domain.positions import Position
from strikeloom.domain.proposals import Proposal
from strikeloom.domain.snapshot import MarketSnapshot
from strikeloom.errors import BrokerError, DataError, GuardError
from strikeloom.ports.desk import Desk
from strikeloom.ports.instruments import Instruments
from strikeloom.trading.intents import Pricing, entry_intents, exit_intents


def take_snapshot(
    desk: Desk, contracts: Iterable[Instrument], symbols: Iterable[str] = ()
) -> MarketSnapshot:
    """Read the quotes of contracts, and the levels of underlyings, once."""
    levels = {}
    for symbol in symbols:
        try:
            levels[symbol] = desk.feed.spot(symbol)
        except (DataError, BrokerError):
            continue  # an unknown level is left out, so that exits that do not need it go on
    wanted = list(contracts)
    quotes = desk.feed.quotes(wanted) if wanted else {}
    return MarketSnapshot(desk.clock.now(), quotes, desk.quote_age_seconds, desk.mode.value, levels)


def last_days(desk: Desk, position: Position) -> dict[int, date]:
    """Last day of each open contract, by leg, as known at present."""
    since = position.opened_at.date()
    return {
        leg.leg: desk.feed.last_day(leg.instrument.symbol, leg.instrument.expiry, since)
        for leg in position.legs
        if leg.net_units and not isinstance(leg.instrument, Share)
    }


def pricing_of(desk: Desk, snapshot: MarketSnapshot) -> Pricing:
    """Pricing from a snapshot with the desk's settings."""
    instruments, today = desk.instruments, snapshot.at.date()
    return Pricing(
        desk.account,
        desk.market,
        snapshot,
        desk.settings.execution,
        lambda instrument: instruments.order_limit(instrument, today),
        lambda instrument: tick_of(instruments, instrument, today),
    )


def tick_of(instruments: Instruments, instrument: Instrument, day: date) -> int:
    """Price step of an instrument on a day in paise; it may be held for longer than its step."""
    symbol, kind = instrument.symbol, instrument.kind
    match instrument:
        case Share():
            return instruments.tick(symbol, kind, day, SHARE_RIGHT)
        case FutureContract():
            return instruments.tick(symbol, kind, day, FUTURE_RIGHT)
        case _:
            return instruments.tick(symbol, kind, day)


def prepare_entry(
    desk: Desk, proposal: Proposal, lots: int, snapshot: MarketSnapshot | None = None
) -> list[OrderIntent]:
    """Intents that open a strategy at present prices. Nothing is recorded.

    Parameters
    ----------
    snapshot : MarketSnapshot, optional
        Quotes, if they were read already.

    Raises
    ------
    GuardError
        When this account has already begun to trade the strategy.
    NoQuote
        When a leg cannot be priced now.
    """
    position_id = proposal.strategy_id
    if desk.store.intents(position_id=position_id):
        raise GuardError(
            f"{position_id} was already entered in {desk.account}; a strategy is entered once",
            guard="entered once",
        )
    if snapshot is None:
        snapshot = take_snapshot(desk, (leg.instrument for leg in proposal.legs))
    return entry_intents(pricing_of(desk, snapshot), proposal, lots)


def prepare_exit(
    desk: Desk,
    position: Position,
    target_lots: Sequence[int],
    why: str,
    purpose: Purpose = Purpose.EXIT,
) -> list[OrderIntent]:
    """Intents that reduce a position to its target at present prices.

    Raises
    ------
    GuardError, NoQuote
        As ``exit_intents``.
    """
    snapshot = take_snapshot(desk, (leg.instrument for leg in position.legs if leg.net_units))
    return exit_intents(pricing_of(desk, snapshot), position, target_lots, why, purpose)
