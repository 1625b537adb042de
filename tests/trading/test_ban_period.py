"""The ban period on a desk: entries are refused, exits go out, a missing list is named once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from strikeloom.domain.instruments import InstrumentKind
from strikeloom.domain.legs import Leg, Side
from strikeloom.domain.orders import IntentState
from strikeloom.domain.proposals import Proposal
from strikeloom.errors import StoreError
from strikeloom.trading.lease import Lease
from strikeloom.trading.prepare import prepare_entry, prepare_exit
from strikeloom.trading.send import OrderRateLimiter
from strikeloom.trading.work import work
from support.desk import MadeDesk
from support.fakes import option


@pytest.fixture
def made(tmp_path: Path) -> Iterator[MadeDesk]:
    desk = MadeDesk(tmp_path)
    yield desk
    desk.close()


def _call(made: MadeDesk, strike: int) -> Proposal:
    instrument = replace(option(strike), kind=InstrumentKind.STOCK)
    made.show(instrument, 150_00, 151_00)
    return made.propose([Leg(instrument, Side.BUY, 1, 150_00)], f"call_{strike}")


def test_a_banned_stock_is_exited_and_not_entered(made: MadeDesk) -> None:
    position = made.enter(_call(made, 25_000), 2)
    made.bans.symbols = frozenset({"NIFTY"})  # the symbol of the made contracts
    with pytest.raises(StoreError, match="has no position"):
        made.enter(_call(made, 25_100), 1)
    refused = [i for i in made.store.intents() if i.state is IntentState.REFUSED]
    assert [i.instrument.strike for i in refused] == [25_100_00]
    made.store.record_intents(prepare_exit(made.desk, position, [1], "half"))
    with Lease(made.home, made.store) as lease:
        work(made.desk, lease, OrderRateLimiter(1e6))
    assert made.store.position(position.position_id).legs[0].net_lots == 1


def test_a_day_without_a_list_is_named_once_and_blocks_nothing(made: MadeDesk) -> None:
    made.bans.symbols = None
    for strike in (25_000, 25_100):
        made.enter(_call(made, strike), 1)
        made.step(2 * 3600)
    assert len(made.store.positions()) == 2
    named = [text for _, text in made.alerts.texts if "ban list" in text]
    assert len(named) == 1
    assert "no ban list of 2026-02-11 is stored" in named[0]


def test_a_damaged_list_refuses_entries_and_holds_up_no_exit(made: MadeDesk) -> None:
    position = made.enter(_call(made, 25_000), 2)
    entry = prepare_entry(made.desk, _call(made, 25_100), 1)
    made.store.record_intents(entry)
    made.store.record_intents(prepare_exit(made.desk, position, [1], "half"))
    made.bans.damaged = True
    with Lease(made.home, made.store) as lease:
        work(made.desk, lease, OrderRateLimiter(1e6))
    (refused,) = [i for i in made.store.intents() if i.state is IntentState.REFUSED]
    assert refused.correlation_id == entry[0].correlation_id
    assert "the ban list of 2026-02-11 is damaged" in refused.note
    assert made.store.position(position.position_id).legs[0].net_lots == 1
