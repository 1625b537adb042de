"""mark, positions, watch, exit, kill and resume on a replayed day."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
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
    assert f"{len(marks)}, 0 of them new" in again.out
    assert all(row.strategy_id in again.out for row in marks)
    assert call("unmark", marks[0].strategy_id).code == 0
    assert len(planned.store.marks(planned.day)) == len(marks) - 1
    assert call("unmark", marks[0].strategy_id).code == 1
    body = json.loads(call("mark", marks[0].strategy_id, "--notes", "why", "--json").out)
    assert body == {"day": "2026-06-10", "marked": [marks[0].strategy_id], "new": 1, "older": []}
    assert {m.strategy_id: m.notes for m in planned.store.marks(planned.day)}[
        marks[0].strategy_id
    ] == "why"


def test_a_mark_of_an_older_version_is_named_until_it_is_made_again(
    call: Call, planned: Desk
) -> None:
    name = planned.store.marks(planned.day)[0].strategy_id
    seen = planned.store.proposal(name)
    dearer = (replace(seen.legs[0], price=seen.legs[0].price + 5), *seen.legs[1:])
    planned.store.save_proposals("again", [replace(seen, legs=dearer)], [])
    result = call("mark", name)
    assert result.code == 0
    assert "1, 0 of them new" in result.out
    assert f"{name} stays marked" in " ".join(result.err.split())
    assert "in version 1; the plan has" in " ".join(result.err.split())
    assert call("unmark", name).code == 0
    result = call("mark", name)
    assert (result.code, result.err) == (0, "")
    assert {m.strategy_id: m.version for m in planned.store.marks(planned.day)}[name] == 2


def test_positions_show_every_id_in_full(call: Call, traded: Desk) -> None:
    result = call("positions", "--detailed")
    for position in traded.store.positions():
        assert position.position_id in result.out
        for leg in position.legs:
            assert leg.instrument.label in result.out
    body = json.loads(call("positions", "--json").out)
    assert [row["id"] for row in body["open"]] == [p.position_id for p in traded.store.positions()]
    assert body["open"][0]["legs"][0]["lots"] == traded.store.positions()[0].legs[0].net_lots


def test_watch_once_goes_to_the_days_last_prices(call: Call, traded: Desk) -> None:
    result = call("watch", "--date", "2026-06-11", "--once")
    assert result.code == 0
    assert result.out.startswith("2026-06-11 15:30")
    assert f"{len(traded.store.positions())} positions" in result.out
    assert traded.store.heartbeat() is not None
    back = call("watch", "--date", "2026-06-10", "--once")
    assert back.code == 1
    assert "cannot go back" in back.err
    assert call("watch", "--date", "soon").code == 2


def test_exit_writes_a_request_for_the_next_cycle(call: Call, traded: Desk) -> None:
    name = traded.store.positions()[0].position_id
    result = call("exit", name, "--json")
    assert result.code == 0
    assert json.loads(result.out)["requests"][0]["new"] is True
    assert "no watcher is running" in result.err
    again = json.loads(call("exit", name, "--json").out)
    assert again["requests"][0]["new"] is False
    assert call("watch", "--once").code == 0
    assert not traded.store.position(name).is_open
    assert traded.store.requests()[-1].state is RequestState.DONE
    closed = call("exit", name)
    assert closed.code == 1
    assert "closed already" in closed.err


def test_exit_of_a_share_that_is_no_whole_lot_is_explained(call: Call, traded: Desk) -> None:
    odd = next(p for p in traded.store.positions() if any(leg.first_lots % 4 for leg in p.legs))
    result = call("exit", odd.position_id, "--percent", "25")
    assert result.code == 1
    assert "not whole lots of" in result.err
    assert traded.store.requests() == []


def test_exit_of_a_hedge_needs_a_flag_and_names_what_is_kept(call: Call, traded: Desk) -> None:
    hedged = next(
        p
        for p in traded.store.positions()
        if {leg.net_units > 0 for leg in p.legs} == {True, False}
    )
    bought = next(leg for leg in hedged.legs if leg.net_units > 0)
    sold = next(
        leg
        for leg in hedged.legs
        if leg.net_units < 0 and leg.instrument.right is bought.instrument.right
    )
    words = ("exit", hedged.position_id, "--leg", str(bought.leg))
    refused = call(*words)
    assert refused.code == 1
    assert (
        f"leave the sold {sold.instrument.label} (leg {sold.leg}) without its hedge" in refused.err
    )
    assert traded.store.requests() == []
    lots = f"leg {sold.leg}: {sold.net_lots} lot"
    assert lots in call("positions", "--detailed").out
    allowed = call(*words, "--leave-unhedged")
    assert allowed.code == 0
    assert f" of {sold.instrument.label} sold" in allowed.out
    assert bought.instrument.label not in allowed.out


def test_exit_options_that_contradict_are_wrong_usage(call: Call, traded: Desk) -> None:
    name = traded.store.positions()[0].position_id
    for words, text in (
        (("--all", name), "give a position or --all, not both"),
        (("--all", "--leg", "0"), "differ by strategy"),
        (("--percent", "50", "--leg", "0", name), "not both"),
        ((), "name a position"),
    ):
        wrong = call("exit", *words)
        assert wrong.code == 2
        assert text in " ".join(wrong.err.replace("│", " ").split())
    assert traded.store.requests() == []


def test_exit_all_requests_each(call: Call, traded: Desk) -> None:
    held = {p.position_id for p in traded.store.positions()}
    body = json.loads(call("exit", "--all", "--json").out)
    assert {row["position"] for row in body["requests"]} == held
    assert {r.position_id for r in traded.store.requests()} == held


def test_exit_of_an_unknown_position_names_it(call: Call, traded: Desk) -> None:
    result = call("exit", "SNOTHERE")
    assert result.code == 1
    assert "SNOTHERE" in result.err


def test_a_second_watcher_is_refused(call: Call, traded: Desk) -> None:
    with Lease(traded.home, traded.store):
        result = call("watch", "--once")
    assert result.code == 1
    assert "another process sends orders" in result.err


def test_kill_is_sticky_and_resume_needs_a_reason(call: Call, traded: Desk) -> None:
    assert call("kill", "--reason", " ").code == 2
    assert not traded.store.kill_switch().engaged
    assert call("kill", "--reason", "news").code == 0
    assert open_desk("synthetic").store.kill_switch().engaged
    assert "KILL SWITCH: news" in call("positions").out
    assert "kill switch engaged: news" in call("status").err
    assert call("resume").code == 2
    assert traded.store.kill_switch().engaged
    assert call("resume", "--reason", "checked the book").code == 0
    assert not traded.store.kill_switch().engaged


def test_kill_resume_and_unmark_answer_as_json(call: Call, traded: Desk) -> None:
    body = json.loads(call("kill", "--reason", "news", "--json").out)
    assert body == {
        "account": traded.account, "kill_switch": True, "flatten": False, "reason": "news",
    }  # fmt: skip
    body = json.loads(call("resume", "--reason", "checked", "--json").out)
    assert body == {"account": traded.account, "kill_switch": False, "reason": "checked"}
    assert json.loads(call("unmark", "S1", "--json").out) == {"removed": 0, "asked": 1}


def test_kill_flatten_exits_everything_at_the_next_cycle(call: Call, traded: Desk) -> None:
    assert call("kill", "--flatten").code == 0
    for _ in range(3):
        call("watch", "--once")
    assert traded.store.positions() == []
    assert traded.broker.positions() == []


def test_without_a_position_there_is_nothing_to_exit(call: Call, drawn_home: Path) -> None:
    result = call("exit", "--all")
    assert (result.code, result.out.strip()) == (0, "no position is open")
    assert "no position is open" in call("positions").out


def test_unresolved_orders_are_listed_and_settled_by_a_person(call: Call, traded: Desk) -> None:
    assert "replay:synthetic-7 has no unresolved order" in call("orders", "--unresolved").out
    unknown = call("orders", "resolve", "I1-0-0-1", "--never")
    assert unknown.code == 1
    assert "no order I1-0-0-1 in account replay:synthetic-7;" in unknown.err
    intent = traded.store.intents()[0]
    ended = call("orders", "resolve", intent.correlation_id, "--never")
    assert ended.code == 1
    assert f"{intent.correlation_id} is not unresolved: its state is" in ended.err
    traded.store.move_intent(
        intent.correlation_id,
        expected={intent.state},
        to=IntentState.UNKNOWN,
        note="no answer",
        at=traded.clock.now(),
    )
    listed = call("orders", "--unresolved")
    assert intent.correlation_id in listed.out
    assert "strikeloom orders resolve" in listed.err
    (row,) = json.loads(call("orders", "--unresolved", "--json").out)
    assert (row["order"], row["status"], row["why"]) == (
        intent.correlation_id, "unknown", "no answer",
    )  # fmt: skip
    assert call("orders", "resolve", intent.correlation_id).code == 2  # neither option given
    assert call("orders", "resolve", intent.correlation_id, "--arrived").code == 0
    assert "has no unresolved order" in call("orders", "--unresolved").out


def test_an_order_that_never_arrived_is_closed(call: Call, traded: Desk) -> None:
    name = traded.store.intents()[0].correlation_id
    traded.store.move_intent(
        name, expected=set(IntentState), to=IntentState.UNKNOWN, at=traded.clock.now()
    )
    wrong = call("orders", "resolve", name, "--never", "--number", "7")
    assert wrong.code == 2
    assert "--number goes with --arrived" in wrong.err
    assert "may be sent again" in call("orders", "resolve", name, "--never").out
    (intent,) = (i for i in traded.store.intents() if i.correlation_id == name)
    assert intent.state is IntentState.ENDED


def test_orders_of_the_day_are_listed_with_what_was_filled(call: Call, traded: Desk) -> None:
    sent = {i.correlation_id: i for i in traded.store.intents()}
    listed = call("orders")
    assert listed.code == 0
    assert all(name in listed.out for name in sent)
    rows = {row["order"]: row for row in json.loads(call("orders", "--json").out)}
    assert set(rows) == set(sent)
    for fill in traded.store.fills():
        row, intent = rows[fill.correlation_id], sent[fill.correlation_id]
        assert row["broker_order"] == fill.order_id
        assert abs(row["units"]) == row["filled"] == intent.units
        assert (row["units"] < 0) == (int(intent.side) < 0)
    earlier = call("orders", "--date", "2020-01-01")
    assert earlier.out.strip() == "replay:synthetic-7 has no order of 2020-01-01"
    assert call("orders", "--date", "Monday").code == 2


def test_execution_reports_that_it_marked_the_plan_by_itself(call: Call, planned: Desk) -> None:
    names = [mark.strategy_id for mark in planned.store.marks(planned.day)]
    words = f"nothing was marked for {planned.day}: the whole plan, {len(names)} strategies"
    assert words not in call("execute", "--dry-run").err
    planned.store.unmark(names)
    found = call("execute", "--dry-run")
    assert found.code == 0
    assert words in found.err
    assert "mark_plan in config/execution.yaml" in found.err
