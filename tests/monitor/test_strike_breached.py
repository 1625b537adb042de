"""Short strikes and the level of the underlying, by hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from strikeloom.domain.instruments import Right
from strikeloom.domain.position_leg import PositionLeg
from strikeloom.domain.positions import MarkedPosition, Position, Urgency
from strikeloom.monitor.watch import watch
from strikeloom.settings.exit_rules.strike_breached import StrikeBreached
from strikeloom.views.monitor import text
from support.desk import MadeDesk
from support.fakes import EXPIRY, ManualClock, ist, option

NOW = ist("2026-02-11 10:00")
CONDOR = [(24_000, Right.PUT, 1), (24_500, Right.PUT, -1), (25_500, Right.CALL, -1),
          (26_000, Right.CALL, 1)]  # fmt: skip


def at_level(
    level: int | None, legs: Sequence[tuple[int, Right, int]] = CONDOR, **changes: object
) -> MarkedPosition:
    held = tuple(
        PositionLeg(n, option(strike, right), 65 * lots, 65 * lots, 0, 0, 0)
        for n, (strike, right, lots) in enumerate(legs)
    )
    position = Position("a", "m", "S1", "NIFTY", "t", "guarded", held, 1, NOW)
    marked = MarkedPosition(position, {}, (), 0, 0, 0, 0, NOW, EXPIRY, level=level)
    return replace(marked, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("percent", "level", "fires"),
    [
        (0, 25_499_99, False),
        (0, 25_500_00, True),
        (0, 24_500_01, False),
        (0, 24_500_00, True),
        (2, 26_009_99, False),  # 25500 and 510 more
        (2, 26_010_00, True),
        (2, 24_010_01, False),  # 24500 less 490
        (2, 24_010_00, True),
        (2, 25_000_00, False),
    ],
)
def test_it_fires_at_its_distance_beyond_a_short_strike(percent, level, fires):
    decision = StrikeBreached(percent=percent).decide(at_level(level))
    assert decision.fires is fires
    assert decision.urgency is (Urgency.HIGH if fires else Urgency.HOLD)


@pytest.mark.parametrize("right", Right)
def test_bought_and_closed_strikes_do_not_count(right):
    legs = [(25_000, right, 1), (25_000, right, 0)]
    for level in (20_000_00, 25_000_00, 30_000_00):
        decision = StrikeBreached(percent=0).decide(at_level(level, legs))
        assert not decision.fires
        assert decision.sentence == "no short strike is open"


def test_the_nearer_of_two_short_strikes_of_a_side_counts():
    calls = [(25_500, Right.CALL, -1), (25_200, Right.CALL, -1)]
    puts = [(24_500, Right.PUT, -1), (24_800, Right.PUT, -1)]
    assert StrikeBreached(percent=0).decide(at_level(25_200_00, calls)).fires
    assert StrikeBreached(percent=0).decide(at_level(24_800_00, puts)).fires


def test_it_comes_closer_as_the_level_nears_a_strike():
    levels = (25_000_00, 25_100_00, 25_300_00, 25_499_00, 25_500_00)
    near = [StrikeBreached(percent=0).decide(at_level(level)).closeness for level in levels]
    assert near == sorted(set(near))
    assert near[-1] == 1
    # 200 rupees short of 25500, of the 2550 that it counts
    assert near[2] == pytest.approx(1 - 200 / 2_550)
    far = StrikeBreached(percent=0).decide(at_level(20_000_00, [(25_000, Right.CALL, -1)]))
    assert far.closeness == 0


def test_the_tenth_before_a_put_level_counts_likewise():
    """1 % below 25,000 is 24,750; of its 2,475 rupees the level is 495 away."""
    put = [(25_000, Right.PUT, -1)]
    decision = StrikeBreached(percent=1).decide(at_level(25_245_00, put))
    assert decision.closeness == pytest.approx(1 - 495 / 2_475)


def test_a_put_that_fires_at_nothing_fires_there_only():
    """100 % below its strike no price is left."""
    put = [(25_000, Right.PUT, -1)]
    rule = StrikeBreached(percent=100)
    assert rule.decide(at_level(0, put)).fires
    assert not rule.decide(at_level(1, put)).fires


def test_an_unknown_level_does_not_fire_and_is_named():
    reason = {"level": "the level of NIFTY is older than 60 s"}
    decision = StrikeBreached(percent=0).decide(at_level(None, unknown=reason))
    assert (decision.fires, decision.closeness) == (False, 0.0)
    assert decision.sentence == "level unknown: the level of NIFTY is older than 60 s"


def test_the_sentence_has_the_level_and_what_fires():
    decision = StrikeBreached(percent=2).decide(at_level(25_000_00))
    assert decision.sentence == "₹25,000, exits above ₹26,010 or below ₹24,010"


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[MadeDesk]:
    """Give a desk whose credit strategies follow the plan that guards short strikes."""
    made = MadeDesk(tmp_path)
    exits = made.desk.settings.exits
    plans = {**exits.plans, "credit": exits.plans["guarded"]}
    changed = exits.model_copy(update={"plans": plans})
    settings = made.desk.settings.model_copy(update={"exits": changed})
    made.desk = replace(made.desk, settings=settings)
    yield made
    made.close()


def test_the_watcher_exits_when_the_level_breaches(guarded: MadeDesk):
    real = ManualClock(ist("2026-11-01 12:00"))
    position = guarded.enter(guarded.spread(), 4)
    name = position.position_id
    guarded.feed.spots["NIFTY"] = 24_552_01  # 1 % below 24800 is 24552
    watch(guarded.desk, real, once=True)
    assert guarded.store.position(name).is_open
    (nearest, *_) = guarded.store.decisions(name)
    assert nearest.rule == "strike breached"
    assert 'class="bar high"' in text.rule(nearest)
    assert "Strike breached" in text.rule(nearest)
    guarded.step()
    guarded.feed.spots["NIFTY"] = 24_552_00
    report = watch(guarded.desk, real, once=True)
    assert "strike breached: ₹24,552, exits below ₹24,552" in report.fired[0]
    assert not guarded.store.position(name).is_open


def test_a_level_that_is_not_known_leaves_the_other_rules_at_work(guarded: MadeDesk):
    position = guarded.enter(guarded.spread(), 4)
    del guarded.feed.spots["NIFTY"]
    watch(guarded.desk, ManualClock(ist("2026-11-01 12:00")), once=True)
    decisions = {d.rule: d for d in guarded.store.decisions(position.position_id)}
    assert decisions["strike breached"].sentence == ("level unknown: the level of NIFTY is unknown")
    assert len(decisions) == 4
    assert decisions["profit target"].sentence.startswith("-₹")
