"""Login, control path, files, other hosts' pages; and that no secret is in any log."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import io
import json
import logging
import os
import stat
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from strikeloom.desk.exchange import ExchangeOptions, control_token_file, open_exchange
from strikeloom.desk.places import places
from strikeloom.domain.instruments import InstrumentKind
from strikeloom.errors import SettingsError
from strikeloom.exchange.market.securities import Listed, ListedUnderlying
from strikeloom.exchange.server.clients import Client, read_clients
from strikeloom.exchange.server.security_master import compact_master, detailed_master
from support.fakes import option
from support.local_exchange import local_exchange

TWO = (
    Client("2000000001", "marked-token-a", pin="marked-pin", totp="marked-totp"),
    Client("2000000002", "marked-token-b"),
)


@pytest.fixture
def two(tmp_path):
    with local_exchange(tmp_path, limits=False, clients=TWO) as exchange:
        yield exchange


def headers(client):
    return {"access-token": client.token, "client-id": client.client_id}


def test_a_token_by_pin_and_code(two):
    where = f"{two.auth}/app/generateAccessToken"
    asked = {"dhanClientId": "2000000001", "pin": "marked-pin", "totp": "marked-totp"}
    wrong = requests.post(where, params={**asked, "pin": "0000"}, timeout=5)
    assert wrong.status_code == 400
    right = requests.post(where, params=asked, timeout=5).json()
    assert right.keys() == {
        "dhanClientId", "dhanClientName", "dhanClientUcc", "givenPowerOfAttorney",
        "accessToken", "expiryTime",
    }  # fmt: skip
    new = {"access-token": right["accessToken"], "client-id": "2000000001"}
    assert requests.get(f"{two.rest}/orders", headers=new, timeout=5).status_code == 200
    assert requests.get(f"{two.rest}/orders", headers=headers(TWO[0]), timeout=5).status_code == 401
    none = {**asked, "dhanClientId": "2000000002", "pin": "", "totp": ""}
    assert requests.post(where, params=none, timeout=5).status_code == 400, "no PIN, no token"


def test_a_token_by_consent(two):
    app = f"{two.auth}/app"
    begun = requests.post(f"{app}/generate-consent?client_id=2000000002", timeout=5).json()
    assert (begun["status"], begun["consentAppStatus"]) == ("success", "GENERATED")
    page = f"{two.auth}/login/consentApp-login?consentAppId={begun['consentAppId']}"
    token_id = requests.get(page, timeout=5).json()["tokenId"]
    done = requests.get(f"{app}/consumeApp-consent?tokenId={token_id}", timeout=5)
    assert done.json()["dhanClientId"] == "2000000002"
    again = requests.get(f"{app}/consumeApp-consent?tokenId={token_id}", timeout=5)
    assert again.status_code == 400, "a token id is good for once"


def test_a_token_lives_for_a_day(two):
    where = f"{two.rest}/RenewToken"
    token = requests.get(where, headers=headers(TWO[1]), timeout=5).json()["accessToken"]
    new = {"access-token": token, "client-id": "2000000002"}
    two.clock.wait(24 * 3600 - 1)
    assert requests.get(f"{two.rest}/fundlimit", headers=new, timeout=5).status_code == 200
    two.clock.wait(1)
    assert requests.get(f"{two.rest}/fundlimit", headers=new, timeout=5).status_code == 401


def _order_of_a_shown_call(two) -> dict[str, object]:
    """Show a market in a call, and write the body of an order that buys a lot of it."""
    call = two.market.listed[20].instrument
    two.market.show(call, 100_00, 101_00)
    return {
        "transactionType": "BUY", "exchangeSegment": "NSE_FNO", "productType": "MARGIN",
        "orderType": "LIMIT", "validity": "DAY", "securityId": two.id_of(call),
        "quantity": 65, "price": 101.0,
    }  # fmt: skip


def test_accounts_are_apart(two):
    body = _order_of_a_shown_call(two)
    first, second = headers(TWO[0]), headers(TWO[1])
    requests.post(f"{two.rest}/orders", json=body, headers=first, timeout=5)
    assert len(requests.get(f"{two.rest}/orders", headers=first, timeout=5).json()) == 1
    assert requests.get(f"{two.rest}/orders", headers=second, timeout=5).json() == []
    mixed = {**first, "client-id": TWO[1].client_id}
    assert requests.get(f"{two.rest}/orders", headers=mixed, timeout=5).status_code == 401


ALONE = ["fundlimit", "holdings", "positions", "orders", "trades", "profile",
         "ledger?from-date=2026-02-01&to-date=2026-02-11"]  # fmt: skip


#: What the broker answers here: an account without shares has no list of holdings.
EXPECTED = {"holdings": (500, "DH-1111")}


@pytest.mark.parametrize("path", ALONE)
def test_the_token_alone_names_the_client(two, path):
    """Answers of the broker recorded in 2025, from a client that sends only its token."""
    given = {"access-token": TWO[1].token}
    answer = requests.get(f"{two.rest}/{path}", headers=given, timeout=5)
    status, text = EXPECTED.get(path, (200, ""))
    assert answer.status_code == status
    assert text in answer.text
    for token, name in (("guess", None), ("", None), (TWO[1].token, TWO[0].client_id),
                        (TWO[1].token, "3000000003")):  # fmt: skip
        wrong = {"access-token": token} | ({"client-id": name} if name else {})
        refused = requests.get(f"{two.rest}/{path}", headers=wrong, timeout=5)
        assert refused.status_code == (400 if path == "profile" else 401)  # as its group words it


def test_an_order_goes_to_the_account_of_the_token(two):
    body = _order_of_a_shown_call(two)
    given = {"access-token": TWO[1].token}
    placed = requests.post(f"{two.rest}/orders", json=body, headers=given, timeout=5)
    assert placed.status_code == 200
    for client, orders in ((TWO[0], 0), (TWO[1], 1)):
        answer = requests.get(f"{two.rest}/orders", headers=headers(client), timeout=5)
        assert len(answer.json()) == orders


def test_quotes_and_chains_ask_for_the_client_too(two):
    given = {"access-token": TWO[1].token}
    for path, body in (
        ("marketfeed/ltp", {"IDX_I": [13]}),
        ("optionchain/expirylist", {"UnderlyingScrip": 13, "UnderlyingSeg": "IDX_I"}),
    ):
        for more, status in (({}, 401), ({"client-id": TWO[1].client_id}, 200)):
            answer = requests.post(
                f"{two.rest}/{path}", json=body, headers={**given, **more}, timeout=5
            )
            assert answer.status_code == status


def test_charts_answer_with_and_without_the_client(two):
    """No candles are stored here (DH-907); a refused token is DH-906."""
    body = {
        "securityId": "13", "exchangeSegment": "IDX_I", "instrument": "INDEX", "interval": "5",
        "fromDate": "2026-02-11", "toDate": "2026-02-11",
    }  # fmt: skip
    given = {"access-token": TWO[1].token}
    answers = [
        requests.post(
            f"{two.rest}/charts/intraday", json=body, headers={**given, **more}, timeout=5
        )
        for more in ({}, {"client-id": TWO[1].client_id}, {"client-id": TWO[0].client_id})
    ]
    assert [answer.json()["errorCode"] for answer in answers] == ["DH-907", "DH-907", "DH-906"]


def test_a_token_that_two_clients_share_names_none(tmp_path):
    same = (Client("2000000001", "marked-same"), Client("2000000002", "marked-same"))
    with local_exchange(tmp_path, limits=False, clients=same) as exchange:
        where = f"{exchange.rest}/orders"
        alone = {"access-token": "marked-same"}
        assert requests.get(where, headers=alone, timeout=5).status_code == 401
        named = {**alone, "client-id": "2000000001"}
        assert requests.get(where, headers=named, timeout=5).status_code == 200


def test_the_control_path_asks_for_its_own_token(local):
    where = f"{local.auth}/control"
    assert requests.get(f"{where}/clock", timeout=5).json() == {
        "now": "2026-02-11T10:00:00.000000+05:30", "speed": 0.0,
    }  # fmt: skip
    for given in ({}, {"control-token": "guess"}, {"control-token": local.token}):
        assert requests.get(f"{where}/faults", headers=given, timeout=5).status_code == 403
        body = {"kind": "server-error"}
        assert (
            requests.post(f"{where}/faults", json=body, headers=given, timeout=5).status_code == 403
        )
        assert requests.delete(f"{where}/faults", headers=given, timeout=5).status_code == 403
    assert local.faults.listed() == []


def test_faults_are_switched_while_it_runs(local):
    where, key = f"{local.auth}/control", {"control-token": local.exchange.control_token}
    on = requests.post(
        f"{where}/faults", json={"kind": "server-error", "on": "funds"}, headers=key, timeout=5
    )
    assert on.json()["switches"][0]["kind"] == "server-error"
    mine = {"access-token": local.token, "client-id": local.client_id}
    assert requests.get(f"{local.rest}/fundlimit", headers=mine, timeout=5).status_code == 500
    injected = requests.get(f"{where}/faults", headers=key, timeout=5).json()["injected"]
    assert injected == {"server-error": 1}
    requests.delete(f"{where}/faults?kind=server-error", headers=key, timeout=5)
    assert requests.get(f"{local.rest}/fundlimit", headers=mine, timeout=5).status_code == 200
    bad = requests.post(f"{where}/faults", json={"kind": "x"}, headers=key, timeout=5)
    assert bad.status_code == 400
    assert "kinds are" in bad.json()["error"]


def test_clock_and_tokens_by_the_control_path(local):
    where, key = f"{local.auth}/control", {"control-token": local.exchange.control_token}
    requests.post(f"{where}/clock", json={"step": 60}, headers=key, timeout=5)
    assert local.clock.now().minute == 1
    for bad in ("NaN", "Infinity", "-1", "1e12", '"60"'):
        sent = f'{{"step": {bad}}}'
        reply = requests.post(f"{where}/clock", data=sent, headers=key, timeout=5)
        assert reply.status_code == 400
    assert local.clock.now().minute == 1
    ended = {"client_id": local.client_id, "end": True}
    requests.post(f"{where}/token", json=ended, headers=key, timeout=5)
    mine = {"access-token": local.token, "client-id": local.client_id}
    assert requests.get(f"{local.rest}/orders", headers=mine, timeout=5).status_code == 401
    requests.post(f"{where}/token", json={**ended, "end": False}, headers=key, timeout=5)
    assert requests.get(f"{local.rest}/orders", headers=mine, timeout=5).status_code == 200
    state = requests.get(f"{where}/state", headers=key, timeout=5).json()
    assert state["feeds"] == 0


def test_another_host_name_is_not_answered(local):
    """A page of another site that points its name at this machine gets nothing."""
    mine = {"access-token": local.token, "client-id": local.client_id, "Host": "evil.example"}
    for path in ("/v2/orders", "/control/clock", "/instruments.csv"):
        assert requests.get(local.auth + path, headers=mine, timeout=5).status_code == 421


@pytest.mark.parametrize(
    ("layout", "columns", "number", "root"),
    [("", 33, "SECURITY_ID", "UNDERLYING_SYMBOL"), ("?layout=compact", 16,
      "SEM_SMST_SECURITY_ID", "SM_SYMBOL_NAME")],
)  # fmt: skip
def test_the_security_master(local, layout, columns, number, root):
    text = requests.get(local.instruments + layout, timeout=5).text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(next(csv.reader(io.StringIO(text)))) == columns
    assert len(rows) == len(local.market.listed) + 1, "the share is its stock's row; one index"
    numbers = {row[number] for row in rows}
    assert {"13", "2885", "35001"} <= numbers
    assert rows[0][root] == "NIFTY"


def test_the_detailed_master_agrees_with_the_broker(local):
    text = requests.get(local.instruments, timeout=5).text
    rows = {row["SECURITY_ID"]: row for row in csv.DictReader(io.StringIO(text))}
    row = rows["35001"]
    expected = {
        "EXCH_ID": "NSE", "SEGMENT": "D", "INSTRUMENT": "OPTIDX", "UNDERLYING_SYMBOL": "NIFTY",
        "UNDERLYING_SECURITY_ID": "26000", "SM_EXPIRY_DATE": "2026-02-17", "OPTION_TYPE": "CE",
        "STRIKE_PRICE": "24000.00000", "LOT_SIZE": "65.0", "TICK_SIZE": "5.0000",
        "EXPIRY_FLAG": "W", "SYMBOL_NAME": "NIFTY-Feb2026-24000-CE",
        "DISPLAY_NAME": "NIFTY 17 FEB 24000 CALL", "SM_FREEZE_QTY": "1756",
    }  # fmt: skip
    assert {name: row[name] for name in expected} == expected
    monthly = next(r for r in rows.values() if r["SM_EXPIRY_DATE"] == "2026-02-24")
    assert monthly["EXPIRY_FLAG"] == "M"


def test_no_secret_is_in_any_log(two, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    first = headers(TWO[0])
    requests.get(f"{two.rest}/orders", headers=first, timeout=5)
    asked = {"dhanClientId": "2000000001", "pin": "marked-pin", "totp": "marked-totp"}
    requests.post(f"{two.auth}/app/generateAccessToken", params=asked, timeout=5)
    requests.get(f"{two.auth}/feed?token=marked-token-b&clientId=2000000002&version=2", timeout=5)
    two.exchange.market.views = None  # something of ours is broken
    quote = {"NSE_FNO": [35001]}
    requests.post(
        f"{two.rest}/marketfeed/ltp?token=marked-token-b",
        json=quote,
        headers=headers(TWO[1]),
        timeout=5,
    )
    asyncio.run(_subscribe(f"{two.feed}?token=marked-token-b&clientId=2000000002&version=2"))
    assert sum("failed" in r.getMessage() for r in caplog.records) >= 2, "both failures are logged"
    two.fault("server-error", on="place")
    requests.post(f"{two.rest}/orders", data="{", headers=headers(TWO[1]), timeout=5)
    requests.get(f"{two.rest}/nothing?token=marked-token-b", timeout=5)
    clients = ("urllib3", "websockets")  # the clients' own debug lines
    records = [r for r in caplog.records if not r.name.startswith(clients)]
    ours = [logging.Formatter().format(r) for r in records]
    assert any("/v2/orders" in line for line in ours), "calls are logged at all"
    out = capfd.readouterr()
    output = "\n".join([*ours, out.out, out.err, repr(TWO), repr(two.exchange)])
    for secret in ("marked-token", "marked-pin", "marked-totp", two.exchange.control_token):
        assert secret not in output


async def _subscribe(address):
    rows = [{"ExchangeSegment": "NSE_FNO", "SecurityId": "35001"}]
    async with connect(address) as socket:
        await socket.send(json.dumps({"RequestCode": 15, "InstrumentList": rows}))
        with contextlib.suppress(ConnectionClosed):
            while True:
                await asyncio.wait_for(socket.recv(), 5)


def test_a_file_of_clients_is_read_strictly(tmp_path):
    path = tmp_path / "clients.yaml"
    path.write_text("- client_id: 42\n  token: t\n  cash: 1000.5\n")
    (client,) = read_clients(path)
    assert (client.client_id, client.token, client.cash) == ("42", "t", 100_050)
    for text in (
        "",
        "- token: t",
        "- {client_id: 1, token: t, age: 3}",
        "- {client_id: 1, token: ''}",
        "[{client_id: 1, token: a}, {client_id: 1, token: b}]",
        "{",
    ):
        path.write_text(text)
        with pytest.raises(SettingsError, match=r"clients\.yaml"):
            read_clients(path)


def test_texts_of_a_client_are_kept_as_written(tmp_path):
    """By YAML 1.1 this PIN was 5349 and this token infinite; the data plan counted as on."""
    path = tmp_path / "clients.yaml"
    path.write_text(
        "clients:\n- client_id: 0042\n  token: .inf\n  pin: 012345\n  totp: 1e5\n"
        "  name: NO\n  cash: 1_000\n  data_plan: 'off'\n"
    )
    assert read_clients(path) == (
        Client("0042", ".inf", name="NO", cash=100_000, pin="012345", totp="1e5", data_plan=False),
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("- client_id: 1\n  token:\n", "entry 1 (line 1): token has no value"),
        ("- client_id: 1\n  token: [marked]\n", "token is a list or a mapping; expected text"),
        ("- {client_id: 1, token: a, data_plan: 1}", "data_plan is 1: expected true or false"),
        ("- {client_id: 1, token: a}\n- {client_id: 2, token: b, cash: yes}",
         "entry 2 (line 2): cash is 'yes': expected a number"),
        ("- {client_id: 1, token: a, token: b}", "line 1 is not valid YAML: key 'token' is set"),
        ("clients: [{client_id: 1, token: a}]\nclient: []", "holds no list of clients"),
    ],
)  # fmt: skip
def test_a_client_of_another_type_is_refused_with_its_place(tmp_path, text, expected):
    path = tmp_path / "clients.yaml"
    path.write_text(text)
    with pytest.raises(SettingsError) as caught:
        read_clients(path)
    assert expected in str(caught.value)
    assert str(path) in str(caught.value)
    assert "marked" not in str(caught.value)


def test_a_market_day_is_served_and_goes_on_after_a_restart(drawn_home):
    options = ExchangeOptions(market="synthetic", speed=60)
    with open_exchange(options, home=drawn_home) as server:
        where = control_token_file(places(drawn_home), server.port)
        assert stat.S_IMODE(os.stat(where).st_mode) == 0o600
        mine = {"access-token": "local", "client-id": "1000000001"}
        rest = server.addresses()["rest"]
        root = next(r for r in server.exchange.market.underlyings if r.symbol == "SYNDEX")
        body = {"UnderlyingScrip": root.security_id, "UnderlyingSeg": "IDX_I"}
        days = requests.post(f"{rest}/optionchain/expirylist", json=body, headers=mine, timeout=9)
        expiry = days.json()["data"][0]
        chain = requests.post(
            f"{rest}/optionchain", json={**body, "Expiry": expiry}, headers=mine, timeout=9
        ).json()["data"]
        near = min(chain["oc"], key=lambda k: abs(float(k) - chain["last_price"]))
        call = chain["oc"][near]["ce"]
        assert 0 < call["top_bid_price"] <= call["top_ask_price"]
        assert 5 < call["implied_volatility"] < 60
        order = {
            "transactionType": "BUY", "exchangeSegment": "NSE_FNO", "productType": "MARGIN",
            "orderType": "LIMIT", "validity": "DAY", "securityId": str(call["security_id"]),
            "quantity": 65, "price": call["top_ask_price"] + 5, "correlationId": "kept",
        }  # fmt: skip
        requests.post(f"{rest}/orders", json=order, headers=mine, timeout=9)
        (before,) = requests.get(f"{rest}/positions", headers=mine, timeout=9).json()
        assert before["netQty"] == 65
    assert not where.exists()
    with open_exchange(options, home=drawn_home) as server:
        rest = server.addresses()["rest"]
        (after,) = requests.get(f"{rest}/positions", headers=mine, timeout=9).json()
        assert (after["netQty"], after["buyAvg"]) == (65, before["buyAvg"])
        (engine,) = server.exchange.engines.values()
        engine.audit()
    with open_exchange(ExchangeOptions(market="synthetic", fresh=True), home=drawn_home) as server:
        (engine,) = server.exchange.engines.values()
        assert engine.orders() == []


def test_a_port_that_is_taken_is_reported(drawn_home):
    with (
        open_exchange(ExchangeOptions(market="synthetic"), home=drawn_home) as server,
        pytest.raises(SettingsError, match="choose another"),
        open_exchange(ExchangeOptions(market="synthetic", port=server.port), home=drawn_home),
    ):
        pass


def test_expiries_beyond_every_calendar_are_monthly():
    """NIFTY lists five years ahead: the list must not depend on holidays that no one knows."""
    far = date(2099, 6, 30)
    near = [date(2026, 2, 17), date(2026, 2, 24)]
    listed = [Listed(n, option(25_000, expiry=day), n + 1) for n, day in enumerate([*near, far])]
    roots = [ListedUnderlying("NIFTY", InstrumentKind.INDEX, 13)]
    market: Any = SimpleNamespace(listed=listed, underlyings=roots, band=lambda _: None)
    for layout, name in ((compact_master(market), "SEM_EXPIRY_FLAG"),
                         (detailed_master(market, near[0]), "EXPIRY_FLAG")):  # fmt: skip
        rows = [row for row in csv.DictReader(io.StringIO(layout)) if "OPTIDX" in row.values()]
        assert [row[name] for row in rows] == ["W", "M", "M"]
