"""Moving an account's replay clock: to the prices after a signal, and through a day."""

from __future__ import annotations

from datetime import date

from strikeloom.adapters.replay.clock import ReplayClock
from strikeloom.adapters.replay.timeline import moments
from strikeloom.errors import StageError
from strikeloom.nse.sessions import next_trading_day
from strikeloom.ports.desk import Desk


def to_next_session(desk: Desk) -> None:
    """Move to the first prices after the desk's day, where its strategies can be traded.

    Filling at the close that made the signal would be look-ahead. A replay that stands inside
    that next day already stays where it is.

    Raises
    ------
    StageError
        When the next day is not stored, or the replay has gone past it.
    """
    clock = _clock(desk)
    day = next_trading_day(desk.day)
    snapshots = moments(desk.history, day)
    if not snapshots:
        raise StageError(
            f"strategies of {desk.day} trade at the prices of {day}, and market {desk.market} "
            f"has none stored; import that day with strikeloom data import PATH"
        )
    now = clock.now()
    if now.date() > day:
        raise StageError(
            f"the replay of {desk.account} stands at {now:%Y-%m-%d %H:%M}, after {day}; "
            f"strategies of {desk.day} can no longer be entered"
        )
    if now < snapshots[0]:
        clock.move_to(snapshots[0])


def to_day_end(desk: Desk, day: date) -> None:
    """Move through every snapshot of the days up to ``day``, matching orders on the way.

    Raises
    ------
    StageError
        When nothing of the day is stored.
    """
    clock = _clock(desk)
    if not moments(desk.history, day):
        raise StageError(
            f"market {desk.market} has no prices of {day}; import it with strikeloom data import"
        )
    if clock.now() > moments(desk.history, day)[-1]:
        clock.move_to(moments(desk.history, day)[-1])  # raises: behind
    passed = [d for d in desk.history.days() if clock.now().date() <= d < day]
    for step in [*passed, day]:
        for at in moments(desk.history, step):
            if at > clock.now():
                clock.move_to(at)
                desk.broker.orders()


def to_day_start(desk: Desk, day: date) -> None:
    """Move to the first snapshot of ``day`` when the replay stands before it."""
    snapshots = moments(desk.history, day)
    if snapshots and _clock(desk).now() < snapshots[0]:
        _clock(desk).move_to(snapshots[0])


def _clock(desk: Desk) -> ReplayClock:
    if not isinstance(desk.clock, ReplayClock):
        raise StageError(f"a desk in mode {desk.mode} lives in real time; there is no day to pick")
    return desk.clock
