"""Each injected fault has its effect on the wire, and the accounts stay correct."""

from __future__ import annotations

from collections import Counter

import pytest
import requests
import yaml

from strikeloom.errors import SettingsError
from strikeloom.exchange.server.fault_injection import (
    ANY,
    CALL_KINDS,
    FaultInjector,
    FaultKind,
    InjectedFault,
    parse_fault,
    read_faults,
)
from support.local_exchange import local_exchange


def order(local, call, tag="one", **more):
    return {
        "transactionType": "BUY", "exchangeSegment": "NSE_FNO", "productType": "MARGIN",
        "orderType": "LIMIT", "validity": "DAY", "securityId": local.id_of(call),
        "quantity": 65, "price": 101.0, "correlationId": tag, **more,
    }  # fmt: skip


def ask(local, verb, path, body=None, timeout=5.0):
    headers = {"access-token": local.token, "client-id": local.client_id}
    return requests.request(verb, local.rest + path, json=body, headers=headers, timeout=timeout)


def placed(local):
    return [o.correlation_id for o in local.engine.orders()]


@pytest.mark.parametrize(
    ("kind", "status", "processed"),
    [
        ("too-many", 429, False),
        ("too-many-html", 429, False),
        ("server-error", 500, False),
        ("bad-gateway", 502, False),
        ("list-body", 500, False),
        ("data-failure", 400, False),
        ("failed-success", 200, False),
        ("unauthorised", 401, False),
        ("margin-reject", 400, False),
        ("wrong-ip", 400, False),
        ("empty", 202, True),
        ("html-after", 200, True),
    ],
)
def test_a_faulty_response(local, call, kind, status, processed):
    local.fault(kind, on="place", times=1)
    reply = ask(local, "POST", "/orders", order(local, call))
    assert reply.status_code == status
    assert placed(local) == (["one"] if processed else [])
    assert local.faults.injected == Counter({kind: 1})
    html = kind in ("too-many-html", "bad-gateway", "html-after")
    assert reply.headers.get("Content-Type", "").startswith("text/html") == html
    if kind == "empty":
        assert reply.content == b""
    if kind == "list-body":
        assert isinstance(reply.json(), list)
    if kind in ("data-failure", "failed-success"):
        assert reply.json()["status"] == "failed"
    again = ask(local, "POST", "/orders", order(local, call, "two"))
    assert again.json()["orderStatus"] == "TRANSIT", "once means once"


@pytest.mark.parametrize(
    ("kind", "processed"),
    [("request-lost", False), ("reset-before", False), ("reply-lost", True), ("reset-after", True)],
)
def test_no_answer_at_all(local, call, kind, processed):
    local.fault(kind, on="place", times=1)
    with pytest.raises((requests.Timeout, requests.ConnectionError)):
        ask(local, "POST", "/orders", order(local, call), timeout=0.4)
    assert placed(local) == (["one"] if processed else [])
    book = ask(local, "GET", "/orders").json()
    assert [row["correlationId"] for row in book] == (["one"] if processed else [])


def test_an_answer_that_is_late(local, call):
    local.fault("latency", on="place", times=1, seconds=0.6)
    with pytest.raises(requests.Timeout):
        ask(local, "POST", "/orders", order(local, call), timeout=0.1)
    late = ask(local, "POST", "/orders", order(local, call, "two"))
    assert late.json()["orderStatus"] == "TRANSIT"


def test_an_order_that_appears_late(local, call):
    local.fault("late-order", on="place", times=1, seconds=5)
    number = ask(local, "POST", "/orders", order(local, call)).json()["orderId"]
    for path in (f"/orders/{number}", "/orders/external/one"):
        assert ask(local, "GET", path).status_code == 400
    assert ask(local, "GET", "/orders").json() == []
    assert ask(local, "GET", "/trades/").json() == []
    (held,) = ask(local, "GET", "/positions").json()
    assert held["netQty"] == 65, "the position shows what the book does not"
    local.pace.seconds += 5
    assert ask(local, "GET", f"/orders/{number}").json()[0]["orderStatus"] == "TRADED"
    assert len(ask(local, "GET", "/trades/").json()) == 1


def test_other_calls_are_left_alone(local, call):
    local.fault("server-error", on="cancel")
    number = ask(local, "POST", "/orders", order(local, call, price=90.0)).json()["orderId"]
    assert ask(local, "DELETE", f"/orders/{number}").status_code == 500
    assert ask(local, "GET", f"/orders/{number}").json()[0]["orderStatus"] == "PENDING"
    local.faults.switch_off(FaultKind.SERVER_ERROR)
    assert ask(local, "DELETE", f"/orders/{number}").status_code == 202


def test_the_token_dies_in_the_middle_of_the_day(local, call):
    local.exchange.tokens.end(local.client_id)
    assert ask(local, "GET", "/orders").json()["errorCode"] == "DH-901"
    assert ask(local, "POST", "/orders", order(local, call)).status_code == 401
    assert placed(local) == []
    local.exchange.tokens.restore(local.client_id)
    assert ask(local, "GET", "/orders").status_code == 200


@pytest.mark.parametrize("name", ["key", "symbol", "any"])
@pytest.mark.parametrize("kind", ["quote-absent", "quote-one-sided", "quote-crossed"])
def test_a_bad_quote_is_seen_by_all(local, call, kind, name):
    local.fault(kind, on={"key": call.key, "symbol": call.symbol, "any": ANY}[name])
    number = int(local.id_of(call))
    reply = ask(local, "POST", "/marketfeed/quote", {"NSE_FNO": [number]}).json()
    depth = reply["data"]["NSE_FNO"][str(number)]["depth"]
    bid, offer = depth["buy"][0]["price"], depth["sell"][0]["price"]
    expected = {
        "quote-absent": (0.0, 0.0), "quote-one-sided": (0.0, 101.0), "quote-crossed": (101.0, 100.0)
    }  # fmt: skip
    assert (bid, offer) == expected[kind]
    ask(local, "POST", "/orders", order(local, call))
    (order_state,) = [row["orderStatus"] for row in ask(local, "GET", "/orders").json()]
    assert order_state == ("TRADED" if kind == "quote-one-sided" else "PENDING")
    local.faults.switch_off()
    local.step(1)
    assert ask(local, "GET", "/orders").json()[0]["orderStatus"] == "TRADED"


def test_a_stale_quote_does_not_move_until_the_fault_is_off(local, call):
    number = int(local.id_of(call))

    def last():
        reply = ask(local, "POST", "/marketfeed/ltp", {"NSE_FNO": [number]}).json()
        return reply["data"]["NSE_FNO"][str(number)]["last_price"]

    local.fault("quote-stale", on=call.key)
    assert last() == 100.5
    local.market.trade(call, 120_00, 7000)
    assert last() == 100.5
    local.faults.switch_off(FaultKind.QUOTE_STALE)
    assert last() == 120.0


def test_a_part_fills_and_the_rest_never_does(local, call):
    local.fault("stuck-partial", on=call.symbol)
    number = ask(local, "POST", "/orders", order(local, call, quantity=650)).json()["orderId"]
    for _ in range(5):
        local.step(60)
        local.market.show(call, 100_00, 101_00, size=6500)
    (row,) = ask(local, "GET", f"/orders/{number}").json()
    assert (row["orderStatus"], row["filledQty"], row["remainingQuantity"]) == (
        "PART_TRADED", 65, 585,
    )  # fmt: skip
    local.engine.audit()


def test_the_same_seed_draws_the_same_faults():
    def drawn(seed):
        rows = [
            InjectedFault(FaultKind.TOO_MANY, rate=0.3),
            InjectedFault(FaultKind.REPLY_LOST, rate=0.1),
        ]
        found = FaultInjector(rows, seed=seed)
        return [bool(found.draw((FaultKind.TOO_MANY,), "place")) for _ in range(200)]

    assert drawn(7) == drawn(7) != drawn(8)
    assert 30 <= sum(drawn(7)) <= 90


def test_a_file_of_faults_is_read_strictly(tmp_path):
    path = tmp_path / "faults.yaml"
    path.write_text(yaml.safe_dump({"seed": 3, "faults": [{"kind": "latency", "seconds": 0.2}]}))
    assert read_faults(path) == (3, (InjectedFault(FaultKind.LATENCY, seconds=0.2),))
    for bad in (
        {"kind": "nonsense"}, {"kind": "latency", "rate": 2}, {"kind": "latency", "when": 1},
        {"on": "place"}, {"kind": "latency", "times": "many"}, {"kind": "latency", "seconds": -1},
    ):  # fmt: skip
        with pytest.raises(SettingsError, match="here"):
            parse_fault(bad, "here")
    for text in ("- 1", "faults: 5", "{"):
        path.write_text(text)
        with pytest.raises(SettingsError, match="faults"):
            read_faults(path)


def test_the_fields_of_a_fault_are_read_as_they_were_meant(tmp_path):
    """``on`` is a key here; YAML 1.1 makes it ``true``, and 1:30 ninety."""
    path = tmp_path / "faults.yaml"
    path.write_text("seed: 010\nfaults:\n- kind: latency\n  on: place\n  rate: 1e-1\n  times: 08\n")
    assert read_faults(path) == (10, (InjectedFault(FaultKind.LATENCY, "place", 0.1, 8),))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("faults:\n- {kind: latency, times: 1.9}", "entry 1 (line 2): times is 1.9: expected"),
        ("faults:\n- {kind: latency, times: yes}", "times is 'yes': expected a whole number"),
        ("faults:\n- {kind: latency, rate: true}", "rate is True: expected a number"),
        ("faults:\n- {kind: latency, seconds: 1:30}", "seconds is '1:30': expected a number"),
        ("faults:\n- {kind: latency, on: }", "on is None: expected text"),
        ("faults:\n- kind: latency\n  rate: 1\n  rate: 0", "line 4 is not valid YAML: key 'rate'"),
        (
            "faults: [{kind: latency}, {kind: }]",
            "entry 2 (line 1): kind is None; kinds are latency",
        ),
        ("faults: []\nsed: 3", "line 2: unknown key sed; known keys: faults, seed"),
        ("faults: []\nseed: x", "line 2: seed is 'x': expected a whole number"),
    ],
)
def test_a_field_of_another_type_is_refused_with_its_place(tmp_path, text, expected):
    path = tmp_path / "faults.yaml"
    path.write_text(text)
    with pytest.raises(SettingsError) as caught:
        read_faults(path)
    assert expected in str(caught.value)
    assert str(path) in str(caught.value)


def test_every_kind_of_a_call_strikes_somewhere():
    """Nothing can be switched on that does nothing."""
    here = set(CALL_KINDS)
    assert here <= set(FaultKind)
    assert len(here) == 18


def test_money_adds_up_after_a_storm(tmp_path):
    rates = {
        FaultKind.REPLY_LOST: 0.1,
        FaultKind.RESET_BEFORE: 0.1,
        FaultKind.EMPTY: 0.1,
        FaultKind.SERVER_ERROR: 0.1,
    }
    storm = [InjectedFault(kind, "place", rate, seconds=0.05) for kind, rate in rates.items()]
    with local_exchange(tmp_path, limits=False, faults=storm, seed=5) as local:
        call = local.market.listed[20].instrument
        local.market.show(call, 100_00, 101_00, size=65_000)
        for n in range(40):
            side = "BUY" if n % 3 else "SELL"
            body = order(local, call, f"s-{n}", transactionType=side, price=101.0 - n % 2)
            try:
                ask(local, "POST", "/orders", body)
            except requests.ConnectionError:
                continue
        assert len(local.faults.injected) == 4
        book = ask(local, "GET", "/orders").json()
        trades = ask(local, "GET", "/trades/").json()
        filled = {row["orderId"]: row["filledQty"] for row in book}
        by_order = Counter()
        for row in trades:
            by_order[row["orderId"]] += row["tradedQuantity"]
        assert {k: v for k, v in filled.items() if v} == dict(by_order)
        local.engine.audit()
