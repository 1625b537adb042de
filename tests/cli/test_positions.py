"""mark, positions, watch, exit, kill and resume on a day that is replayed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from strikeloom.desk import open_desk
from strikeloom.domain.orders import IntentState
from strikeloom.domain.positions import RequestState
from strikeloom.ports.desk import Desk
from strikeloom.trading.lease import Lease

Call = Callable[..., Any]


def test_mark_and_unmark(call: Call, planned: Desk) -> None:
    marks = planned.store.marks(planned.day)
    again = call("mark", "--all")
    assert again.code == 0
    assert f"{len(marks)}, of which new 0" in again.out
    assert all(row.strategy_id in again.out for row in marks)
    assert call("unmark", marks[0].strategy_id).code == 0
    assert len(planned.store.marks(planned.day)) == len(marks) - 1
    assert call("unmark", marks[0].strategy_id).code == 1
    body = json.loads(call("mark", marks[0].strategy_id, "--notes", "why", "--json").out)
    assert body == {"day": "2026-06-10", "marked": [marks[0].strategy_id], "new": 1}
    assert {m.strategy_id: m.notes for m in planned.store.marks(planned.day)}[
        marks[0].strategy_id
    ] == "why"


def test_positions_show_every_id_in_full(call: Call, traded: Desk) -> None:
    said = call("positions", "--detailed")
    for position in traded.store.positions():
        assert position.position_id in said.out
        for leg in position.legs:
            assert leg.contract.label in said.out
    body = json.loads(call("positions", "--json").out)
    assert [row["id"] for row in body["open"]] == [p.position_id for p in traded.store.positions()]
    assert body["open"][0]["legs"][0]["lots"] == traded.store.positions()[0].legs[0].net_lots


def test_watch_once_goes_to_the_days_last_prices(call: Call, traded: Desk) -> None:
    said = call("watch", "--date", "2026-06-11", "--once")
    assert said.code == 0
    assert said.out.startswith("2026-06-11 15:30")
    assert f"{len(traded.store.positions())} positions" in said.out
    assert traded.store.heartbeat() is not None
    back = call("watch", "--date", "2026-06-10", "--once")
    assert back.code == 1
    assert "cannot go back" in back.err
    assert call("watch", "--date", "soon").code == 1


def test_exit_writes_a_request_that_the_next_cycle_works(call: Call, traded: Desk) -> None:
    name = traded.store.positions()[0].position_id
    said = call("exit", name, "--json")
    assert said.code == 0
    assert json.loads(said.out)["requests"][0]["new"] is True
    assert "no watcher is running" in said.err
    again = json.loads(call("exit", name, "--json").out)
    assert again["requests"][0]["new"] is False
    assert call("watch", "--once").code == 0
    assert not traded.store.position(name).is_open
    assert traded.store.requests()[-1].state is RequestState.DONE
    closed = call("exit", name)
    assert closed.code == 1
    assert "closed already" in closed.err


def test_exit_of_a_share_that_is_no_whole_lot_says_so(call: Call, traded: Desk) -> None:
    odd = next(p for p in traded.store.positions() if any(leg.first_lots % 4 for leg in p.legs))
    said = call("exit", odd.position_id, "--percent", "25")
    assert said.code == 1
    assert "not whole lots of" in said.err
    assert traded.store.requests() == []


def test_exit_all_asks_for_each(call: Call, traded: Desk) -> None:
    held = {p.position_id for p in traded.store.positions()}
    body = json.loads(call("exit", "--all", "--json").out)
    assert {row["position"] for row in body["requests"]} == held
    assert {r.position_id for r in traded.store.requests()} == held


def test_exit_of_an_unknown_position_names_it(call: Call, traded: Desk) -> None:
    said = call("exit", "SNOTHERE")
    assert said.code == 1
    assert "SNOTHERE" in said.err


def test_a_second_watcher_is_refused(call: Call, traded: Desk) -> None:
    with Lease(traded.home, traded.store):
        said = call("watch", "--once")
    assert said.code == 1
    assert "another process sends orders" in said.err


def test_kill_is_sticky_and_resume_needs_a_reason(call: Call, traded: Desk) -> None:
    assert call("kill", "--reason", "news").code == 0
    assert open_desk("synthetic").store.kill_switch().engaged
    assert "KILL SWITCH: news" in call("positions").out
    assert "kill switch engaged: news" in call("status").err
    assert call("resume").code == 1
    assert traded.store.kill_switch().engaged
    assert call("resume", "--reason", "checked the book").code == 0
    assert not traded.store.kill_switch().engaged


def test_kill_flatten_leaves_everything_at_the_next_cycle(call: Call, traded: Desk) -> None:
    assert call("kill", "--flatten").code == 0
    for _ in range(3):
        call("watch", "--once")
    assert traded.store.positions() == []
    assert traded.broker.positions() == []


def test_without_a_position_there_is_nothing_to_leave(call: Call, drawn_home: Path) -> None:
    said = call("exit", "--all")
    assert (said.code, said.out.strip()) == (0, "no position is open")
    assert "no position is open" in call("positions").out


def test_orders_in_doubt_are_listed_and_settled_by_a_person(call: Call, traded: Desk) -> None:
    assert "no order of replay:synthetic-7 is in doubt" in call("doubt").out
    said = call("doubt", "I1-0-0-1", "--never")
    assert said.code == 1
    assert "is not unknown" in said.err
    intent = traded.store.intents()[0]
    traded.store.move_intent(
        intent.correlation_id,
        expected={intent.state},
        to=IntentState.UNKNOWN,
        note="no answer",
        at=traded.clock.now(),
    )
    assert intent.correlation_id in call("doubt").out
    assert json.loads(call("doubt", "--json").out)[0]["order"] == intent.correlation_id
    assert call("doubt", intent.correlation_id).code == 1  # neither said
    assert call("doubt", intent.correlation_id, "--arrived").code == 0
    assert "no order" in call("doubt").out
