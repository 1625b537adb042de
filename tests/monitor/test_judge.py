"""A judgement is made again when one of its figures changes, and once a second in any case."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from strikeloom.domain.instruments import Right
from strikeloom.domain.snapshot import MarketSnapshot
from strikeloom.monitor.judge import Judge
from strikeloom.settings.all import load_settings
from support.fakes import option
from support.trading_records import NOW, PUT, position_of, quote_of, state

HEDGE = option(24_600, Right.PUT)
EXITS = load_settings().exits
HELD = position_of("P1", (PUT, -130), (HEDGE, 130))
ACCOUNT = state(positions=[HELD])
QUOTES = {q.key: q for q in (quote_of(PUT, 99_50, 100_50), quote_of(HEDGE, 79_50, 80_50))}


def market(quotes=QUOTES, *, after=0.0, level=25_000_00):
    at = NOW + timedelta(seconds=after)
    levels = {} if level is None else {"NIFTY": (level, NOW)}
    return MarketSnapshot(at, quotes, 60, "live", levels)


@pytest.fixture
def judge() -> Judge:
    return Judge(EXITS)


def test_what_no_tick_has_touched_is_kept_for_a_second(judge: Judge) -> None:
    first = judge.judge(HELD, ACCOUNT, market())
    second = judge.judge(HELD, ACCOUNT, market())  # the highest P&L is known from now on
    assert second is not first
    assert judge.judge(HELD, ACCOUNT, market(after=0.9)) is second
    later = judge.judge(HELD, ACCOUNT, market(after=1.0))
    assert later is not second
    assert later.marked.at == NOW + timedelta(seconds=1)
    assert judge.judge(HELD, ACCOUNT, market(after=0.5)) is not later  # a clock set back


def test_a_tick_of_one_leg_is_judged_again(judge: Judge) -> None:
    for _ in range(2):
        before = judge.judge(HELD, ACCOUNT, market())
    ticked = {**QUOTES, PUT.key: quote_of(PUT, 109_50, 110_50)}
    found = judge.judge(HELD, ACCOUNT, market(ticked))
    assert before.marked.pnl is not None
    assert found.marked.pnl == before.marked.pnl - 130 * 10_00
    gone = {HEDGE.key: QUOTES[HEDGE.key]}
    assert judge.judge(HELD, ACCOUNT, market(gone)).marked.pnl is None


@pytest.mark.parametrize("level", [25_000_05, None])
def test_another_level_is_judged_again(judge: Judge, level: int | None) -> None:
    for _ in range(2):
        judge.judge(HELD, ACCOUNT, market())
    assert judge.judge(HELD, ACCOUNT, market(level=level)).marked.level == level


def test_fills_and_last_days_judge_again(judge: Judge) -> None:
    for _ in range(2):
        judge.judge(HELD, ACCOUNT, market())
    half = replace(HELD, revision=HELD.revision + 1)
    found = judge.judge(half, ACCOUNT, market())
    assert found.marked.position is half
    soon = replace(ACCOUNT, last_days=dict.fromkeys(ACCOUNT.last_days, NOW.date()))
    assert judge.judge(half, soon, market()).marked.days_left == 0


def test_the_highest_pnl_is_remembered_and_starts_from_the_store(judge: Judge) -> None:
    stored = replace(ACCOUNT, peaks={"P1": 10**6})
    assert judge.judge(HELD, stored, market()).marked.peak_pnl == 10**6
    assert judge.peaks == {"P1": 10**6}
    fresh = Judge(EXITS)
    pnl = fresh.judge(HELD, ACCOUNT, market()).marked.pnl
    worse = {**QUOTES, PUT.key: quote_of(PUT, 109_50, 110_50)}
    assert fresh.judge(HELD, ACCOUNT, market(worse)).marked.peak_pnl == pnl
    assert fresh.peaks == {"P1": pnl}


def test_closed_positions_are_forgotten(judge: Judge) -> None:
    judge.judge(HELD, ACCOUNT, market())
    judge.forget(set())
    assert judge._kept == {}
