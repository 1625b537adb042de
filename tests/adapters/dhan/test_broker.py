"""Orders over the wire: every kind of failed response, and what the adapter makes of it."""

from __future__ import annotations

import pytest

from strikeloom.adapters.dhan.account_rows import position_of
from strikeloom.adapters.dhan.errors import DhanRefusal, checked_body
from strikeloom.adapters.dhan.rate_limiter import CallClass
from strikeloom.domain.instruments import Right
from strikeloom.domain.orders import OrderState
from strikeloom.errors import (
    BrokerError,
    NotAuthorised,
    RateLimited,
    Rejected,
    UnknownOutcome,
    Unreachable,
)
from support.dhan_client import OurSide
from support.fakes import option, order
from support.local_exchange import LocalExchange

CALL = option(25_000)


@pytest.fixture
def shown(local: LocalExchange) -> LocalExchange:
    local.market.show(CALL, 99_00, 100_00)
    return local


def test_an_order_goes_out_and_its_fill_comes_back(ours: OurSide, shown: LocalExchange) -> None:
    placed = ours.broker.submit(order("tag-1", CALL, "BUY", 2, 100_00))
    assert placed.state in (OrderState.TRANSIT, OrderState.PENDING)
    shown.step(1)
    (found,) = ours.broker.orders()
    assert (found.order_id, found.correlation_id) == (placed.order_id, "tag-1")
    assert (found.instrument_key, found.units, found.limit) == (CALL.key, 130, 100_00)
    assert (found.state, found.filled_units) == (OrderState.TRADED, 130)
    (fill,) = ours.broker.fills()
    (truth,) = shown.engine.trades()
    assert (fill.units, fill.price, fill.charges) == (truth.units, truth.price, truth.charges)
    assert (fill.correlation_id, fill.at) == ("tag-1", truth.at)
    assert {p.instrument_key: p.net_units for p in ours.broker.positions()} == {CALL.key: 130}
    funds, balance = ours.broker.funds(), shown.engine.balance()
    assert funds.available == balance.available
    assert funds.cash == funds.available + funds.margin_used


@pytest.mark.parametrize("kind", ["reply-lost", "reset-after", "empty", "html-after"])
def test_a_lost_answer_is_looked_for_and_never_sent_again(
    ours: OurSide, shown: LocalExchange, kind: str
) -> None:
    shown.fault(kind, on="place", times=1, **({"seconds": 6} if kind == "reply-lost" else {}))
    found = ours.broker.submit(order("tag-1", CALL, "BUY", 1, 90_00))
    assert found.correlation_id == "tag-1"
    assert len(shown.engine.orders()) == 1


@pytest.mark.parametrize(
    "kind", ["request-lost", "reset-before", "bad-gateway", "server-error", "list-body"]
)
def test_what_never_arrived_stays_unresolved(
    ours: OurSide, shown: LocalExchange, kind: str
) -> None:
    shown.fault(kind, on="place", times=1, **({"seconds": 6} if kind == "request-lost" else {}))
    with pytest.raises(UnknownOutcome):
        ours.broker.submit(order("tag-1", CALL, "BUY", 1, 90_00))
    assert shown.engine.orders() == []
    assert ours.broker.orders() == []


def test_an_order_that_comes_late_to_the_book_is_found_by_a_later_look(
    ours: OurSide, shown: LocalExchange
) -> None:
    shown.fault("late-order", on="place", times=1, seconds=30)
    shown.fault("reset-after", on="place", times=1)
    with pytest.raises(UnknownOutcome):
        ours.broker.submit(order("tag-1", CALL, "BUY", 1, 90_00))
    assert ours.broker.orders() == []
    shown.pace.seconds += 31
    (found,) = ours.broker.orders()
    assert found.correlation_id == "tag-1"
    assert len(shown.engine.orders()) == 1


def test_an_order_with_a_number_is_there_also_while_the_book_lags(
    ours: OurSide, shown: LocalExchange
) -> None:
    shown.fault("late-order", on="place", times=1, seconds=30)
    placed = ours.broker.submit(order("tag-1", CALL, "BUY", 1, 90_00))
    assert ours.broker.orders() == [placed]
    shown.pace.seconds += 31
    (found,) = ours.broker.orders()
    assert (found.order_id, found.state) == (placed.order_id, OrderState.PENDING)


@pytest.mark.parametrize("kind", ["too-many", "too-many-html"])
def test_too_fast_had_no_effect_and_holds_back(
    ours: OurSide, shown: LocalExchange, kind: str
) -> None:
    shown.fault(kind, on="place", times=1)
    with pytest.raises(RateLimited):
        ours.broker.submit(order("tag-1", CALL, "BUY", 1, 90_00))
    assert shown.engine.orders() == []
    before = ours.client.limits.at  # type: ignore[attr-defined]
    ours.broker.submit(order("tag-1", CALL, "BUY", 1, 90_00))
    assert ours.client.limits.at - before >= 1.0  # type: ignore[attr-defined]


def test_a_dead_token_is_no_refusal_of_the_order(ours: OurSide, shown: LocalExchange) -> None:
    shown.exchange.tokens.end(shown.client_id)
    with pytest.raises(NotAuthorised, match="DH-901"):
        ours.broker.submit(order("tag-1", CALL, "BUY", 1, 90_00))
    shown.exchange.tokens.restore(shown.client_id)
    assert ours.broker.submit(order("tag-1", CALL, "BUY", 1, 90_00)).correlation_id == "tag-1"


def test_a_token_is_asked_for_at_each_call(ours: OurSide, shown: LocalExchange) -> None:
    ours.token = "something-old"
    with pytest.raises(NotAuthorised):
        ours.broker.funds()
    ours.token = shown.token
    assert ours.broker.funds().available > 0


def test_an_address_that_may_not_order_is_reported(ours: OurSide, shown: LocalExchange) -> None:
    shown.fault("wrong-ip", on="place", times=1)
    with pytest.raises(Rejected, match="Invalid IP"):
        ours.broker.submit(order("tag-1", CALL, "BUY", 1, 90_00))


def test_a_refusal_has_the_broker_s_reason(ours: OurSide, shown: LocalExchange) -> None:
    with pytest.raises(Rejected, match="is above the freeze quantity 1800") as refused:
        ours.broker.submit(order("tag-1", CALL, "SELL", 400, 99_00))
    assert "tag-1" in str(refused.value)
    assert ours.broker.positions() == []


def test_what_does_not_fit_never_leaves(ours: OurSide, shown: LocalExchange) -> None:
    for wrong in (
        order("tag-1", CALL, "BUY", 1, 90_01),
        order("tag 1", CALL, "BUY", 1, 90_00),
        order("t" * 31, CALL, "BUY", 1, 90_00),
        order("tag-1", option(99_000), "BUY", 1, 90_00),
    ):
        with pytest.raises(Rejected):
            ours.broker.submit(wrong)
    assert shown.engine.orders() == []


def test_a_cancel_answers_with_the_order_s_end(ours: OurSide, shown: LocalExchange) -> None:
    resting = ours.broker.submit(order("tag-1", CALL, "BUY", 1, 90_00))
    assert ours.broker.cancel(resting.order_id).state is OrderState.CANCELLED
    assert ours.broker.cancel(resting.order_id).state is OrderState.CANCELLED
    filled = ours.broker.submit(order("tag-2", CALL, "BUY", 1, 100_00))
    shown.step(1)
    assert ours.broker.cancel(filled.order_id).state is OrderState.TRADED
    with pytest.raises(BrokerError, match="no order"):
        ours.broker.cancel("999")


def test_a_cancel_with_an_unknown_outcome_is_reported(ours: OurSide, shown: LocalExchange) -> None:
    resting = ours.broker.submit(order("tag-1", CALL, "BUY", 1, 90_00))
    shown.fault("reset-before", on="cancel", times=1)
    with pytest.raises(UnknownOutcome):
        ours.broker.cancel(resting.order_id)
    shown.fault("reset-after", on="cancel", times=1)
    assert ours.broker.cancel(resting.order_id).state is OrderState.CANCELLED


@pytest.mark.parametrize("kind", ["bad-gateway", "reset-before", "empty", "list-body", "too-many"])
def test_a_book_that_cannot_be_read_is_an_error_and_no_empty_book(
    ours: OurSide, shown: LocalExchange, kind: str
) -> None:
    ours.broker.submit(order("tag-1", CALL, "BUY", 1, 100_00))
    for on, look in (
        ("book", ours.broker.orders),
        ("trades", ours.broker.fills),
        ("positions", ours.broker.positions),
        ("funds", ours.broker.funds),
    ):
        shown.fault(kind, on=on, times=1)
        with pytest.raises(BrokerError) as failed:
            look()
        assert not isinstance(failed.value, UnknownOutcome)


def test_a_server_that_is_gone_was_never_reached(ours: OurSide, tmp_path) -> None:
    ours.local.server.close()
    with pytest.raises(Unreachable):
        ours.broker.submit(order("tag-1", CALL, "BUY", 1, 90_00))


def test_codes_are_facts(ours: OurSide, shown: LocalExchange) -> None:
    answer = ours.client.call(CallClass.OTHER, "get_order_by_id", "12345")
    with pytest.raises(DhanRefusal) as refused:
        checked_body(answer, "order 12345", ours.credentials, changes=False)
    assert refused.value.facts["code"] == "DH-905"
    assert refused.value.facts["status"] == 400
    assert answer.headers["content-type"].startswith("application/json")


def test_both_sides_and_rights_cross_the_wire(ours: OurSide, shown: LocalExchange) -> None:
    put = option(1_400, Right.PUT, symbol="RELIANCE", lot=500)
    shown.market.show(put, 20_00, 20_50, size=5000)
    ours.broker.submit(order("tag-1", put, "SELL", 1, 20_00))
    shown.step(1)
    assert {p.instrument_key: p.net_units for p in ours.broker.positions()} == {put.key: -500}


def test_an_order_bears_its_brokerage_once_however_its_trades_are_numbered(
    ours: OurSide, shown: LocalExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown.market.show(CALL, 99_00, 100_00, size=65)
    ours.broker.submit(order("tag-1", CALL, "BUY", 2, 100_00))
    shown.step(1)
    shown.market.show(CALL, 99_00, 100_00, size=65)
    shown.step(1)
    read = ours.broker._read
    one, two = read("get_trade_book", "the trade book")
    rows = [{**one, "exchangeTradeId": "999"}]
    monkeypatch.setattr(
        ours.broker, "_read", lambda m, what: rows if m == "get_trade_book" else read(m, what)
    )
    (first,) = ours.broker.fills()
    rows = [{**one, "exchangeTradeId": "999"}, {**two, "exchangeTradeId": "1000"}]
    assert first in ours.broker.fills()
    truth = sum(trade.charges for trade in shown.engine.trades())
    assert sum(fill.charges for fill in ours.broker.fills()) == truth


def test_a_flat_position_of_an_expired_contract_stops_nothing(ours: OurSide) -> None:
    row = {"exchangeSegment": "NSE_FNO", "netQty": 0, "securityId": "99"}
    day = ours.local.clock.now().date()
    assert position_of(row, ours.instruments, day) is None
    with pytest.raises(BrokerError, match="position 99 cannot be read"):
        position_of({**row, "netQty": 65}, ours.instruments, day)
