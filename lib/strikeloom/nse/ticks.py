"""Price steps, and snapping a price onto them with integers."""

from __future__ import annotations

from datetime import date

from strikeloom.domain.instruments import Kind
from strikeloom.domain.legs import Side
from strikeloom.domain.money import PAISE_PER_RUPEE
from strikeloom.nse.tables import in_force, rows


def option_tick(kind: Kind, underlying: int | None, day: date) -> int:
    """Tick of an option in paise.

    Parameters
    ----------
    underlying : int or None
        Last close of the underlying in paise; unknown gives the coarser tick, which is valid
        under the finer one too.
    """
    known = [row for row in rows("ticks") if row["kind"] == kind.value]
    fine = [
        row
        for row in known
        if row["underlying_below"]
        and underlying is not None
        and underlying < int(row["underlying_below"]) * PAISE_PER_RUPEE
        and date.fromisoformat(row["effective_from"]) <= day
    ]
    plain = [row for row in known if not row["underlying_below"]]
    return int(in_force(fine or plain, day, what=f"tick of {kind} options")["tick"])


def snap(price: int, tick: int, side: Side) -> int:
    """Price on the tick that is no less willing to trade: buys up, sells down.

    Never below one tick.
    """
    steps = -(-price // tick) if side is Side.BUY else price // tick
    return max(tick, steps * tick)
