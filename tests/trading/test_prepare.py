"""What is read of the desk before a decision: levels, quotes, last days, intents."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from strikeloom.domain.instruments import Right
from strikeloom.domain.orders import Purpose
from strikeloom.errors import DataError, GuardError
from strikeloom.trading.prepare import last_days, prepare_entry, prepare_exit, take_snapshot
from support.desk import START, MadeDesk
from support.fakes import EXPIRY, option
from support.trading_records import PUT, position_of

NEAR = option(24_800, Right.PUT, expiry=date(2026, 2, 17))


@pytest.fixture
def made(tmp_path: Path) -> Iterator[MadeDesk]:
    desk = MadeDesk(tmp_path)
    yield desk
    desk.close()


def test_a_snapshot_has_the_quotes_and_levels_of_one_moment(made: MadeDesk) -> None:
    made.show(PUT, 119_50, 120_50)
    hedge = option(24_600, Right.PUT)
    seen = take_snapshot(made.desk, [PUT, hedge], ["NIFTY"])
    assert (seen.at, seen.mode) == (START, "replay")
    assert seen.max_age_seconds == made.desk.quote_age_seconds
    assert list(seen.quotes) == [PUT.key]
    assert seen.level("NIFTY") == 25_000_00
    assert take_snapshot(made.desk, []).quotes == {}


def test_an_unknown_level_leaves_the_other_levels_and_quotes(
    made: MadeDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exits that do not need it go on."""
    made.show(PUT, 119_50, 120_50)
    seen = take_snapshot(made.desk, [PUT], ["ABSENT", "NIFTY"])
    assert (seen.level("ABSENT"), seen.level("NIFTY")) == (None, 25_000_00)
    assert list(seen.quotes) == [PUT.key]

    def fails(symbol: str) -> tuple[int, object]:
        if symbol == "BROKEN":
            raise DataError("no file")
        return 25_000_00, START

    monkeypatch.setattr(made.feed, "spot", fails)
    assert list(take_snapshot(made.desk, [], ["BROKEN", "NIFTY"]).levels) == ["NIFTY"]


def test_each_open_leg_has_its_last_day(made: MadeDesk) -> None:
    both = position_of("P1", (PUT, -65), (NEAR, 65))
    assert last_days(made.desk, both) == {0: EXPIRY, 1: NEAR.expiry}
    assert last_days(made.desk, position_of("P1", (PUT, -65), (NEAR, 0))) == {0: EXPIRY}
    assert last_days(made.desk, position_of("P1", (PUT, 0), (NEAR, 0))) == {}
    made.feed.ends["NIFTY", EXPIRY] = date(2026, 2, 12)  # the exchange ends the series early
    assert last_days(made.desk, both)[0] == date(2026, 2, 12)


def test_a_strategy_is_entered_once(made: MadeDesk) -> None:
    proposal = made.spread()
    intents = prepare_entry(made.desk, proposal, 1)
    assert made.store.intents() == []  # nothing is recorded
    made.store.record_intents(intents)
    with pytest.raises(GuardError, match="a strategy is entered once") as refused:
        prepare_entry(made.desk, proposal, 1)
    assert refused.value.facts["guard"] == "entered once"


def test_an_entry_is_priced_at_the_snapshot_that_it_is_given(made: MadeDesk) -> None:
    proposal = made.spread()
    given = take_snapshot(made.desk, [leg.instrument for leg in proposal.legs])
    before = prepare_entry(made.desk, proposal, 1)
    made.show(proposal.legs[0].instrument, 219_50, 220_50)
    assert prepare_entry(made.desk, proposal, 1, given) == before
    assert prepare_entry(made.desk, proposal, 1) != before


def test_an_exit_needs_quotes_of_open_legs_only(made: MadeDesk) -> None:
    made.show(PUT, 119_50, 120_50)
    position = position_of("P1", (PUT, -130), (NEAR, 0))
    (leaving,) = prepare_exit(made.desk, position, [-1, 0], "half", Purpose.UNWIND)
    assert (leaving.instrument, leaving.units, leaving.side.word) == (PUT, 65, "BUY")
    assert (leaving.purpose, leaving.why) == (Purpose.UNWIND, "half")
