"""What trading does on the day on which held contracts are other ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from strikeloom.domain.adjustments import ContractAdjustment
from strikeloom.domain.instruments import InstrumentKind, OptionContract, Right
from strikeloom.domain.legs import Leg, Side
from strikeloom.domain.orders import IntentState, Purpose
from strikeloom.domain.positions import RequestState
from strikeloom.errors import GuardError, MissingHistory
from strikeloom.monitor import CycleReport, request_exit, run_cycle
from strikeloom.ports.store import KillSwitch
from strikeloom.trading.lease import Lease
from strikeloom.trading.prepare import prepare_entry, prepare_exit
from strikeloom.trading.reconcile import Reconciler, reconcile
from strikeloom.trading.remaining import unfinished
from strikeloom.trading.send import OrderRateLimiter
from support.desk import MadeDesk
from support.fakes import ist, option

DAY = date(2026, 2, 12)
OLD, OTHER = option(25_000), option(25_100)
NEW, OTHER_NEW = option(5_000, lot=325), option(5_020, lot=325)


def _change(old: OptionContract, new: OptionContract) -> ContractAdjustment:
    return ContractAdjustment(old.key, new, 325, 65, DAY, "NIFTY had a split on 2026-02-12")


@pytest.fixture
def made(tmp_path: Path) -> Iterator[MadeDesk]:
    desk = MadeDesk(tmp_path)
    desk.listed.changes = {OLD.key: [_change(OLD, NEW)], OTHER.key: [_change(OTHER, OTHER_NEW)]}
    desk.broker.engine._session.replay._adjuster._find = desk.listed.adjustments
    yield desk
    desk.close()


def _buy(made: MadeDesk, instrument: OptionContract, lots: int = 2) -> str:
    made.show(instrument, 99_00, 100_00)
    proposal = made.propose([Leg(instrument, Side.BUY, 1, 100_00)], "long_call")
    return made.enter(proposal, lots).position_id


def _cycle(made: MadeDesk) -> CycleReport:
    with Lease(made.home, made.store) as lease:
        return run_cycle(made.desk, lease, OrderRateLimiter(1e6), made.clock)


def _next_day(made: MadeDesk) -> None:
    made.clock.at = ist("2026-02-12 09:20")
    made.show(NEW, 19_80, 20_00)
    made.show(OTHER_NEW, 19_80, 20_00)


def test_one_alert_names_every_holding_of_an_event(made: MadeDesk) -> None:
    names = [_buy(made, OLD), _buy(made, OTHER)]
    _next_day(made)
    state = reconcile(made.desk)
    assert list(state.differences) == []
    assert state.net_units() == {NEW.key: 650, OTHER_NEW.key: 650}
    (text,) = [text for _, text in made.alerts.texts if "split" in text]
    assert text == (
        "NIFTY had a split on 2026-02-12. "
        f"{names[0]}: 130 units of NIFTY 24 Feb 25000 CE are 650 of NIFTY 24 Feb 5000 CE since "
        f"2026-02-12; {names[1]}: 130 units of NIFTY 24 Feb 25100 CE are 650 of "
        "NIFTY 24 Feb 5020 CE since 2026-02-12"
    )
    made.alerts.texts.clear()
    reconcile(made.desk)
    assert made.alerts.texts == []


def test_a_process_that_ends_once_it_has_recorded_has_reported_it(
    made: MadeDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = _buy(made, OLD)
    _next_day(made)
    record = made.store.record_adjustments

    def killed(*args: Any) -> int:
        record(*args)
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(made.store, "record_adjustments", killed)
        with pytest.raises(KeyboardInterrupt):
            reconcile(made.desk)
    reconcile(made.desk)
    assert made.store.position(name).legs[0].instrument == NEW
    assert [text for _, text in made.alerts.texts if "split" in text] != []


def test_a_leg_that_was_closed_before_is_adjusted_but_not_named(made: MadeDesk) -> None:
    for instrument in (OLD, OTHER):
        made.show(instrument, 99_00, 100_00)
    legs = [Leg(OLD, Side.BUY, 1, 100_00), Leg(OTHER, Side.BUY, 1, 100_00)]
    name = made.enter(made.propose(legs, "two"), 1).position_id
    request_exit(made.desk, name, who="a person", leg=1)
    _cycle(made)
    _next_day(made)
    reconcile(made.desk)
    kept, closed = made.store.position(name).legs
    assert (kept.instrument, kept.net_units) == (NEW, 325)
    assert (closed.instrument, closed.net_units, closed.first_units) == (OTHER_NEW, 0, 325)
    (text,) = [text for _, text in made.alerts.texts if "split" in text]
    assert "65 units of NIFTY 24 Feb 25000 CE are 325" in text
    assert "25100" not in text


def test_an_exit_at_work_on_the_eve_is_made_again_for_the_new_contract(made: MadeDesk) -> None:
    name = _buy(made, OLD)
    made.show(OLD, 90_00, 100_00, size=0)  # no one buys
    request, _ = request_exit(made.desk, name, who="a person")
    _cycle(made)
    (resting,) = made.store.intents(states={IntentState.WORKING})
    _next_day(made)
    for _ in range(3):
        made.step(60)
        _cycle(made)
    assert made.store.positions() == made.broker.positions() == []
    (sold,) = [fill for fill in made.store.fills() if fill.side is Side.SELL]
    assert (sold.instrument_key, sold.units) == (NEW.key, 650)
    (ended,) = made.store.intents(correlation_ids=[resting.correlation_id])
    assert ended.state is IntentState.ENDED
    (kept,) = made.store.requests()
    assert (kept.request_id, kept.state) == (request.request_id, RequestState.DONE)


def test_an_entry_of_the_eve_that_was_not_sent_names_the_event(made: MadeDesk) -> None:
    made.show(OLD, 99_00, 100_00)
    proposal = made.propose([Leg(OLD, Side.BUY, 1, 100_00)], "long_call")
    made.store.record_intents(prepare_entry(made.desk, proposal, 1))
    _next_day(made)
    _cycle(made)
    (intent,) = made.store.intents()
    assert (intent.state, intent.purpose) == (IntentState.REFUSED, Purpose.ENTRY)
    assert intent.note == "not sent: NIFTY had a split on 2026-02-12"
    assert made.broker.orders() == []


def test_an_entry_is_refused_in_a_contract_that_took_the_name(made: MadeDesk) -> None:
    made.show(OLD, 99_00, 100_00)
    proposal = made.propose([Leg(OLD, Side.BUY, 1, 100_00)], "long_call")
    _next_day(made)
    made.show(OLD, 99_00, 100_00)  # listed: another contract has the name now
    made.store.record_intents(prepare_entry(made.desk, proposal, 1))
    _cycle(made)
    (intent,) = made.store.intents()
    assert intent.state is IntentState.REFUSED
    assert intent.note == (
        "listed: NIFTY 24 Feb 25000 CE was adjusted: it is NIFTY 24 Feb 5000 CE since "
        "2026-02-12: NIFTY had a split on 2026-02-12"
    )


def test_a_request_for_a_part_is_stale(made: MadeDesk) -> None:
    name = _buy(made, OLD)
    request_exit(made.desk, name, who="a person", percent=50)
    _next_day(made)
    _cycle(made)
    (request,) = made.store.requests()
    assert request.state is RequestState.STALE
    assert made.store.position(name).legs[0].net_units == 650


def test_a_group_of_the_old_contract_is_over(made: MadeDesk) -> None:
    name = _buy(made, OLD)
    position = made.store.position(name)
    made.store.record_intents(prepare_exit(made.desk, position, [0], "a test"))
    assert unfinished(Reconciler(made.desk).refresh())
    _next_day(made)
    state = reconcile(made.desk)
    assert unfinished(state) == {}
    assert state.groups == {}
    (_, exit_) = made.store.intents()
    assert (exit_.state, exit_.note) == (
        IntentState.ENDED, "not sent: NIFTY had a split on 2026-02-12",
    )  # fmt: skip


def _larger_lots(made: MadeDesk, lot: int) -> None:
    """The morning on which the lot of both contracts is another one, under the same names."""
    for old in (OLD, OTHER):
        new = replace(old, lot_size=lot)
        made.listed.changes[old.key] = [ContractAdjustment(old.key, new, 1, 1, DAY, "a new lot")]
        made.clock.at = ist("2026-02-12 09:20")
        made.show(new, 99_00, 100_00)


def test_an_order_filled_in_part_before_lots_grew_is_made_again_in_new_lots(
    made: MadeDesk,
) -> None:
    name = _buy(made, OLD, lots=4)
    made.show(OLD, 99_00, 100_00, size=65)
    request_exit(made.desk, name, who="a person")
    _cycle(made)
    assert made.store.position(name).legs[0].net_units == 195
    _larger_lots(made, 150)
    for _ in range(4):
        made.step(60)
        _cycle(made)
    # 195 are a lot of 150 and 45 that the exchange takes no order for
    assert [p.net_units for p in made.broker.positions()] == [45]
    (leg,) = made.store.position(name).legs
    assert (leg.net_units, leg.net_lots, leg.odd_units) == (45, 0, 45)
    (kept,) = made.store.requests()
    assert kept.state is RequestState.DONE
    assert kept.note.endswith("45 units make no whole lot and stay until expiry")
    assert unfinished(reconcile(made.desk)) == {}
    sent = len(made.broker.orders())
    made.store.set_kill_switch(KillSwitch(engaged=True, flatten=True, reason="x", at=made.clock.at))
    report = _cycle(made)
    assert (report.blocked, report.fired, len(made.broker.orders())) == ([], [], sent)
    with pytest.raises(GuardError, match=r"no whole lot is left \(45 of a lot of 150"):
        request_exit(made.desk, name, who="a person", percent=50)
    with pytest.raises(GuardError, match="no open leg 0; open legs: no whole lot is left"):
        request_exit(made.desk, name, who="a person", leg=0)


def test_smaller_lots_leave_nothing_over(made: MadeDesk) -> None:
    name = _buy(made, OLD, lots=2)
    _larger_lots(made, 26)
    reconcile(made.desk)
    (leg,) = made.store.position(name).legs
    assert (leg.net_units, leg.net_lots, leg.first_lots, leg.odd_units) == (130, 5, 5, 0)
    request_exit(made.desk, name, who="a person", percent=40)
    made.step(60)
    _cycle(made)
    assert made.store.position(name).legs[0].net_units == 78


def test_a_list_that_cannot_be_read_is_an_alert_and_is_read_again(
    made: MadeDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = _buy(made, OLD)
    _next_day(made)
    reconciler = Reconciler(made.desk)
    with monkeypatch.context() as broken:

        def missing(*_: object) -> list[ContractAdjustment]:
            raise MissingHistory("the list is not out yet")

        broken.setattr(made.listed, "adjustments", missing)
        reconciler.refresh()
    assert made.store.position(name).legs[0].instrument == OLD
    assert any(
        f"{name}: whether NIFTY 24 Feb 25000 CE was adjusted is not known" in text
        for _, text in made.alerts.texts
    )
    made.step(61)
    assert list(reconciler.refresh().differences) == []
    assert made.store.position(name).legs[0].instrument == NEW


def test_a_stock_leg_is_marked_and_settled_as_it_is_now(made: MadeDesk) -> None:
    old = option(1_000, Right.PUT, symbol="LOOMCO", kind=InstrumentKind.STOCK, lot=100)
    new = option(200, Right.PUT, symbol="LOOMCO", kind=InstrumentKind.STOCK, lot=500)
    change = ContractAdjustment(old.key, new, 500, 100, DAY, "LOOMCO had a split")
    made.listed.changes[old.key] = [change]
    name = _buy(made, old, lots=1)
    _next_day(made)
    made.show(new, 19_80, 20_20)
    report = _cycle(made)
    (marked,) = report.marked
    assert (marked.pnl or 0) + sum(leg.charges for leg in marked.position.legs) == 0
    # a put of 200 bought for 20.00: 180.00 and 20.00 a unit are the most it earns and loses
    assert (marked.max_profit, marked.max_loss) == (180_00 * 500, 20_00 * 500)
    made.clock.at = ist("2026-02-24 15:30")
    made.feed.settlements["LOOMCO", date(2026, 2, 24)] = 188_70
    assert list(reconcile(made.desk).differences) == []
    leg, lacking = made.store.position(name).legs
    assert (lacking.net_units, lacking.is_owed) == (-500, True)  # the put sells shares
    assert (leg.net_units, leg.realised) == (0, 500 * (11_30 - 20_00))
