"""Limit prices: the quote of the opposite side plus the slippage that the settings allow."""

from __future__ import annotations

from strikeloom.domain.instruments import Instrument
from strikeloom.domain.legs import Side
from strikeloom.domain.orders import Purpose
from strikeloom.domain.quotes import Quote
from strikeloom.errors import NoQuote
from strikeloom.nse.ticks import snap
from strikeloom.settings.execution import ExecutionSettings


def limit_price(
    instrument: Instrument,
    side: Side,
    purpose: Purpose,
    quote: Quote,
    settings: ExecutionSettings,
) -> int:
    """Limit in paise, on the tick.

    Raises
    ------
    NoQuote
        When the quote has no price on the opposite side.
    """
    price = quote.ask if side is Side.BUY else quote.bid
    if price is None:
        wanted = "ask" if side is Side.BUY else "bid"
        raise NoQuote(f"{instrument.label} shows no {wanted} now", key=instrument.key)
    entry = purpose is Purpose.ENTRY
    percent = settings.entry_slippage_percent if entry else settings.exit_slippage_percent
    room = max(round(price * percent / 100), settings.min_slippage_ticks * instrument.tick)
    return snap(price + int(side) * room, instrument.tick, side)
