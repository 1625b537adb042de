"""``explain`` on a past day: what each structure would have earned since."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from cli.conftest import Call
from strikeloom.adapters.parquet.history import ParquetHistory
from strikeloom.cli.since import since_fields, since_of
from strikeloom.desk import open_desk
from strikeloom.domain.legs import Leg, Side
from strikeloom.domain.outcomes import Ending, Outcome, Rule
from strikeloom.domain.results import Stage, StageResult, Verdict
from strikeloom.ports.desk import Desk
from strikeloom.strategy_creation.since import earned_since
from support.near_legs import near_straddle

MARKET = "synthetic-7"


@pytest.fixture
def past(drawn_home: Path) -> Desk:
    """A day with eight later ones, on which one structure was picked and two were not."""
    days = ParquetHistory(drawn_home / "history" / MARKET, MARKET).days()
    desk = open_desk(MARKET, days[-9], home=drawn_home)
    legs = tuple(near_straddle(desk))
    gone = replace(legs[0].instrument, expiry=date(2001, 1, 1))
    run = "creation-by-hand"
    outcomes = [
        _outcome("short_straddle", Ending.PICKED, legs, 400_000_00),
        _outcome("short_call", Ending.BEATEN, legs[:1], 400_000_00),
        _outcome("long_call", Ending.REFUSED, (Leg(gone, Side.BUY, 1, 5_00),), None),
        _outcome("long_put", Ending.REFUSED, (), None),
    ]
    desk.store.save_proposals(run, [], outcomes)
    result = StageResult(
        run_id=run, stage=Stage.STRATEGY_CREATION, market=desk.market, account=desk.account,
        day=desk.day, verdict=Verdict.DONE, counts={"universe": 1, "done": 1, "refused": 0},
    )  # fmt: skip
    desk.store.finish_run(result, desk.clock.now())
    return desk


def _outcome(template: str, ending: Ending, legs: tuple[Leg, ...], funds: int | None) -> Outcome:
    return Outcome(
        "SYNDEX", template, ending, Rule.RANK, "by hand", legs=legs, funds=funds, score=1.0
    )


def test_each_structure_with_legs_has_what_it_would_have_earned(call: Call, past: Desk) -> None:
    words = ("explain", "SYNDEX", "--market", MARKET, "--date", past.day.isoformat())
    straddle, single = earned_since(
        past, past.day, [row.legs for row in past.store.outcomes(past.day)[2:][::-1]]
    )
    body = json.loads(call(*words, "--json").out)
    since = {row["template"]: row["since"] for row in body["outcomes"]}
    assert since["short_straddle"]["earned"] == straddle.earned
    assert since["short_call"]["earned"] == single.earned
    assert since["short_straddle"]["path"][0] == {
        "day": straddle.path[0][0].isoformat(), "earned": straddle.path[0][1],
    }  # fmt: skip
    assert since["long_call"]["earned"] is None
    assert "has ended, and no final value of its last day is stored" in since["long_call"]["reason"]
    assert since["long_put"] is None
    printed = call(*words).out
    table = printed[printed.index("What each would have earned since, after costs") :]
    assert straddle.earned is not None
    assert f"{100 * straddle.earned / 400_000_00:+.1f} % of its funds" in table
    assert "not known: SYNDEX 01 Jan" in table
    assert "long_put" not in table


def test_on_the_last_stored_day_nothing_is_known_yet(past: Desk) -> None:
    outcomes = past.store.outcomes(past.day)
    last = past.history.days()[-1]
    assert since_of(replace(past, day=last), outcomes) == {}
    assert since_of(past, [row for row in outcomes if not row.legs]) == {}
    assert since_fields(None) is None
