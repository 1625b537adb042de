"""Tick sizes, and rounding of prices to ticks in integers."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from strikeloom.domain.instruments import InstrumentKind
from strikeloom.domain.legs import Side
from strikeloom.domain.money import PAISE_PER_RUPEE
from strikeloom.nse.edges import expected_before
from strikeloom.nse.tables import in_force, rows


def review_day(day: date) -> date:
    """Day whose close decides the ticks of ``day``: the last trading day of the month before.

    The exchange reviews once a month (NSE/FAOP/70382): a stock that falls below the limit, or
    is split, within the month keeps its tick until the next.
    """
    return expected_before(day.replace(day=1))


def option_tick(kind: InstrumentKind, reviewed: int | None, day: date) -> int:
    """Tick of an option in paise. Source: ``ticks.csv``.

    Parameters
    ----------
    reviewed : int or None
        Close of the underlying on ``review_day`` in paise; ``None`` gives the coarser tick,
        which is valid under the finer one too.
    """
    known = [row for row in rows("ticks") if row["kind"] == kind.value]
    fine = [
        row
        for row in known
        if row["underlying_below"]
        and reviewed is not None
        and reviewed < int(row["underlying_below"]) * PAISE_PER_RUPEE
        and date.fromisoformat(row["effective_from"]) <= day
    ]
    plain = [row for row in known if not row["underlying_below"]]
    return int(in_force(fine or plain, day, what=f"tick of {kind} options")["tick"])


def share_tick(reviewed: int | None, day: date) -> int:
    """Tick of a share in paise. Source: ``delta_one_ticks.csv``.

    Parameters
    ----------
    reviewed : int or None
        Close of the share on ``review_day`` in paise; ``None`` gives the coarsest tick, which is
        valid under every finer one too.
    """
    return _unit_tick("share", reviewed, day)


def future_tick(kind: InstrumentKind, reviewed: int | None, day: date) -> int:
    """Tick of a future in paise; a stock's is its share's. Source: ``delta_one_ticks.csv``.

    Parameters
    ----------
    reviewed : int or None
        Close of the underlying on ``review_day`` in paise; ``None`` gives the coarsest tick.
    """
    return _unit_tick(f"{kind.value} future", reviewed, day)


@lru_cache(maxsize=4096)
def _unit_tick(of: str, reviewed: int | None, day: date) -> int:
    known = [row for row in rows("delta_one_ticks") if row["of"] == of]
    begins = in_force(known, day, what=f"tick of a {of}")["effective_from"]
    steps = [row for row in known if row["effective_from"] == begins]
    fine = [
        int(row["tick"])
        for row in steps
        if row["up_to"] and reviewed is not None and reviewed <= int(row["up_to"])
    ]
    return min(fine) if fine else max(int(row["tick"]) for row in steps)


def snap(price: int, tick: int, side: Side) -> int:
    """Round a price to a tick so that it is at least as aggressive: buys up, sells down.

    Never below one tick.
    """
    steps = -(-price // tick) if side is Side.BUY else price // tick
    return max(tick, steps * tick)
