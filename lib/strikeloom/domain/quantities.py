"""Quantities of an instrument in plain words: shares by number, contracts by lots."""

from __future__ import annotations

from strikeloom.domain.counted import counted
from strikeloom.domain.instruments import Instrument, Share


def quantity(instrument: Instrument, units: int, *, signed: bool = False) -> str:
    """What a number of units is called.

    Parameters
    ----------
    units : int
        Negative when sold; the sign is left out unless ``signed``.

    Examples
    --------
    >>> from datetime import date
    >>> from strikeloom.domain.instruments import FutureContract, InstrumentKind
    >>> quantity(Share("RELIANCE"), 100), quantity(Share("RELIANCE"), -1, signed=True)
    ('100 RELIANCE shares', '-1 RELIANCE share')
    >>> future = FutureContract("NIFTY", date(2026, 2, 24), InstrumentKind.INDEX, 65)
    >>> quantity(future, -65), quantity(future, 140)
    ('1 lot of NIFTY 24 Feb future', '2 lots of NIFTY 24 Feb future and 10 units')
    """
    held = units if signed else abs(units)
    if isinstance(instrument, Share):
        return counted(held, f"{instrument.symbol} share", signed=signed)
    lots = int(held / instrument.lot_size)
    rest = held - lots * instrument.lot_size
    text = f"{counted(lots, 'lot', signed=signed)} of {instrument.label}"
    odd = counted(rest, "unit", signed=signed)
    if rest and not lots:
        return f"{odd} of {instrument.label}"
    return f"{text} and {odd}" if rest else text
