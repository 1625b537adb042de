"""Legs as a person writes them: ``sell 2 25000 CE 2026-02-24``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from strikeloom.domain.instruments import (
    FUTURE,
    SHARE,
    FutureContract,
    Instrument,
    OptionContract,
    Right,
    Share,
)
from strikeloom.domain.legs import Leg, Side
from strikeloom.domain.money import paise
from strikeloom.errors import WrongUsage

_SYMBOL = "X"  # names compare legs of one underlying, whichever it is
_RIGHTS = {"CE": Right.CALL, "CALL": Right.CALL, "C": Right.CALL,
           "PE": Right.PUT, "PUT": Right.PUT, "P": Right.PUT}  # fmt: skip
_SIDES = {"BUY": Side.BUY, "B": Side.BUY, "SELL": Side.SELL, "S": Side.SELL}
_FORM = "write SIDE [LOTS] STRIKE CE|PE [EXPIRY], SIDE [LOTS] FUT or SIDE [UNITS] SHARE"
#: Expiry of legs that state none: the same of all.
NO_EXPIRY = date(2000, 1, 1)


def parse_legs(texts: Sequence[str], lot: int = 1) -> list[Leg]:
    """Legs of texts, priced at nothing.

    Parameters
    ----------
    texts : sequence of str
        ``SIDE [LOTS] STRIKE CE|PE [YYYY-MM-DD]``, ``SIDE [LOTS] FUT [YYYY-MM-DD]`` or ``SIDE
        [UNITS] SHARE``; blanks or colons between, in capitals or not.
    lot : int
        Units of a lot of options and futures.

    Raises
    ------
    WrongUsage
        When a text is no leg, or only some options have an expiry.
    """
    if lot <= 0:
        raise WrongUsage(f"--lot {lot} is not positive")
    legs = [_parse(text, lot) for text in texts]
    dated = {
        leg.instrument.expiry != NO_EXPIRY
        for leg in legs
        if isinstance(leg.instrument, OptionContract)
    }
    if len(dated) > 1:
        raise WrongUsage("some options have an expiry and some have none; give it for all or none")
    return legs


def _parse(text: str, lot: int) -> Leg:
    words = text.replace(":", " ").upper().split()
    try:
        side, rest = _SIDES[words[0]], words[1:]
        expiry = NO_EXPIRY
        if len(rest) > 1 and rest[-1].count("-") == 2:
            expiry = date.fromisoformat(rest.pop())
        kind = rest.pop()
        instrument: Instrument
        if kind in _RIGHTS:
            strike = paise(float(rest.pop()), what="strike")
            instrument = OptionContract(_SYMBOL, expiry, strike, _RIGHTS[kind], lot_size=lot)
        elif kind in (FUTURE, "FUTURE"):
            instrument = FutureContract(_SYMBOL, expiry, lot_size=lot)
        elif kind in (SHARE, "SHARES", "EQ"):
            instrument = Share(_SYMBOL)
        else:
            raise ValueError(kind)
        lots = int(rest.pop()) if rest else 1
        if rest or lots <= 0:
            raise ValueError(rest)
    except (KeyError, ValueError, IndexError):
        raise WrongUsage(f"{text!r} is no leg; {_FORM}, for example 'sell 2 25000 CE'") from None
    return Leg(instrument, side, lots, 0)
