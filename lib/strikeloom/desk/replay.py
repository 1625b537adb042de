"""Moving an account's replay clock: to the prices after a signal, and through a day."""

from __future__ import annotations

from datetime import date, datetime

from strikeloom.adapters.replay.clock import ReplayClock
from strikeloom.adapters.replay.timeline import Timeline, moments
from strikeloom.domain.market_names import is_synthetic
from strikeloom.errors import MissingHistory, StageError
from strikeloom.nse.edges import expected_days
from strikeloom.nse.sessions import next_trading_day
from strikeloom.ports.desk import Desk, Mode


def to_next_session(desk: Desk) -> datetime:
    """Move to the first prices after the desk's day, where its strategies can be traded.

    Filling at the close that made the signal would be look-ahead. A replay that is already
    within that next day stays where it is.

    The clock of a desk in real time is not moved: today must be that next day.

    Raises
    ------
    StageError
        When the next trading day is not stored, or the replay has gone past it; in real time
        when today is another day.
    """
    day = next_trading_day(desk.day)
    if desk.mode is not Mode.REPLAY:
        return _today(desk, day)
    clock = _clock(desk)
    stored = moments(desk.history, day)
    if not stored:
        remedy = "run strikeloom data import PATH with that day's file"
        if is_synthetic(desk.market):
            remedy = "a synthetic market has no others; choose an earlier day"
        raise StageError(
            f"strategies of {desk.day} trade at the prices of {day}, and market {desk.market} "
            f"has none stored; {remedy}"
        )
    current = desk.store.replay_time()
    if current is None or current.date() != day:
        if current is not None and current.date() > day and _has_traded(desk):
            raise StageError(
                f"the replay of {desk.account} is at {current:%Y-%m-%d %H:%M}, after {day}; "
                f"strategies of {desk.day} can no longer be entered. Another STRIKELOOM_HOME "
                "holds another replay"
            )
        _move(desk, clock, stored[0])
    return clock.now()


def _today(desk: Desk, day: date) -> datetime:
    now = desk.clock.now()
    if now.date() != day:
        raise StageError(
            f"strategies of {desk.day} trade on {day}, and today is {now:%Y-%m-%d}; "
            "they were chosen for another day. Import the last day's files and run the stages again"
        )
    return now


def to_day_start(desk: Desk, day: date) -> None:
    """Move to the first prices of ``day``, or stay where the replay is later on that day.

    Raises
    ------
    MissingHistory
        When nothing of the day is stored.
    StoreError
        When the replay is past it and the account has traded.
    """
    clock = _clock(desk)
    first = _moments(desk, day)[0]
    current = desk.store.replay_time()
    if current is None or current.date() != day:
        _move(desk, clock, first)


def to_day_end(desk: Desk, day: date) -> None:
    """Move to the last prices of ``day``; resting orders are matched at every price on the way.

    Raises
    ------
    MissingHistory, StoreError
        As for ``to_day_start``.
    """
    _move(desk, _clock(desk), _moments(desk, day)[-1])


def _move(desk: Desk, clock: ReplayClock, at: datetime) -> None:
    current = desk.store.replay_time()
    if current is None or not _has_traded(desk):
        desk.store.set_replay_time(at)  # nothing has been traded yet that a jump could skip
        return
    if at <= current:
        clock.move_to(at)  # raises when it would go back
        return
    timeline = Timeline(desk.history)
    for day in expected_days(current.date(), at.date()):
        for moment in timeline.moments(day):
            if current < moment <= at:
                clock.move_to(moment)
                desk.broker.orders()  # the engine matches resting orders at every price


def _has_traded(desk: Desk) -> bool:
    return bool(desk.store.intents())


def _moments(desk: Desk, day: date) -> list[datetime]:
    stored = moments(desk.history, day)
    if not stored:
        days = desk.history.days()
        span = f"{days[0]} to {days[-1]}" if days else "nothing"
        raise MissingHistory(
            f"market {desk.market} has no prices of {day} (stored: {span}); run strikeloom data "
            "import PATH with that day's file"
        )
    return stored


def _clock(desk: Desk) -> ReplayClock:
    if not isinstance(desk.clock, ReplayClock):
        raise StageError(f"a desk in mode {desk.mode} runs in real time; no day can be chosen")
    return desk.clock
