"""Dhan's own recorded answers: what each is made into, by the same code that runs live."""

from __future__ import annotations

import json
import math
from datetime import date
from pathlib import Path

import pytest

from strikeloom.adapters.dhan.account_rows import holding_of, order_of, position_of, tag_of
from strikeloom.adapters.dhan.chains import chain_frame
from strikeloom.adapters.dhan.client import DhanResponse
from strikeloom.adapters.dhan.credentials import Credentials
from strikeloom.adapters.dhan.errors import DhanRefusal, checked_body
from strikeloom.adapters.dhan.instruments import DhanInstruments
from strikeloom.adapters.dhan.mapping import quote_of
from strikeloom.adapters.dhan.master_store import MasterStore
from strikeloom.adapters.dhan.security_master import read_master
from strikeloom.adapters.dhan.settlements import close_of
from strikeloom.domain.frames import QUOTES
from strikeloom.domain.orders import BrokerPosition
from strikeloom.errors import BrokerError, NotAuthorised, RateLimited, Unreachable
from strikeloom.settings.secrets import Secret
from support.dhan_client import Known
from support.fakes import ManualClock, ist, option

pytestmark = pytest.mark.realdata

CREDENTIALS = Credentials(Secret("1000000042"), lambda: Secret("marked-token"))
NOW = ist("2025-02-16 12:00")
#: Files of refusals -> the error and the code that they are.
REFUSALS: dict[str, tuple[type[BrokerError], str]] = {
    "base_api__charts_historical_1": (NotAuthorised, "DH-906"),  # "Invalid Token"
    "base_model__error_handling": (Unreachable, ""),
    "client__error_400": (DhanRefusal, ""),
    "client__error_500": (DhanRefusal, ""),
    "client__error_unknown": (DhanRefusal, ""),
    "client__error_806": (NotAuthorised, "806"),
    "client__error_dh_901": (NotAuthorised, "DH-901"),
    "client__error_dh_904": (RateLimited, "DH-904"),
    "client__error_dh_905": (DhanRefusal, "DH-905"),
    "client__error_invalid_payload": (DhanRefusal, "DH-905"),
    "models__orders__update_1": (DhanRefusal, "DH-906"),
}


def _recorded(folder: Path) -> dict[str, dict]:
    return {
        path.stem: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(folder.glob("*.json"))
    }


@pytest.fixture(scope="module")
def recorded(shared_data: Path) -> dict[str, dict]:
    return _recorded(shared_data / "dhan_api")


def _checked(row: dict):
    body = row["response_body"]
    answer = DhanResponse("recorded", row["status"], body=body)
    return checked_body(answer, "the recorded call", CREDENTIALS, changes=False)


def test_all_recorded_responses_are_distinguished(recorded: dict[str, dict]) -> None:
    assert len(recorded) == 39
    refused = {}
    for name, row in recorded.items():
        try:
            assert _checked(row) == row["response_body"]
        except BrokerError as error:
            refused[name] = (type(error), str(error.facts.get("code", "")))
    assert refused == REFUSALS


def test_a_refused_change_is_unknown_only_where_the_response_has_no_reason(
    recorded: dict[str, dict],
) -> None:
    from strikeloom.errors import UnknownOutcome

    unknown = set()
    for name in REFUSALS:
        row = recorded[name]
        answer = DhanResponse("recorded", row["status"], body=row["response_body"])
        try:
            checked_body(answer, "it", CREDENTIALS, changes=True)
        except UnknownOutcome:
            unknown.add(name)
        except BrokerError:
            pass
    assert unknown == {"base_model__error_handling"}


@pytest.fixture
def instruments(tmp_path: Path) -> DhanInstruments:
    return DhanInstruments(MasterStore(tmp_path), Known(), ManualClock(NOW))  # type: ignore[arg-type]


def test_orders_on_another_exchange_are_none_of_ours(
    recorded: dict[str, dict], instruments: DhanInstruments
) -> None:
    for name in ("models__orders__all", "models__orders__order", "models__orders__update"):
        for row in _checked(recorded[name]):
            assert order_of(row, instruments, NOW) is None
            assert tag_of(row) == ""  # "NA" is no tag
    assert _checked(recorded["client__invalid_json_response"]) == []
    assert [
        position_of(row, instruments, NOW.date())
        for row in _checked(recorded["resources__positions"])
    ] == []


def test_a_recorded_holding_counts_what_is_not_delivered_yet(
    recorded: dict[str, dict], shared_data: Path, tmp_path: Path
) -> None:
    name = "api-scrip-master-detailed_NSE_E_I_2026-04.csv.gz"
    store = MasterStore(tmp_path)
    store.keep(read_master(shared_data / "scrip_master" / name), NOW.date())
    listed = DhanInstruments(store, Known(), ManualClock(NOW))  # type: ignore[arg-type]
    (row,) = _checked(recorded["models__holdings"])
    held = holding_of(row, listed, NOW.date())
    assert held == BrokerPosition("NIFTYBEES:SHARE", 2)


def test_a_quote_of_nothing_has_no_price(recorded: dict[str, dict]) -> None:
    row = _checked(recorded["base_api__marketfeed_quote"])["data"]["NSE_FNO"]["49081"]
    quote = quote_of(row, option(25_000), NOW)
    assert (quote.bid, quote.ask, quote.last, quote.volume) == (None, None, None, 0)


@pytest.mark.parametrize(
    ("name", "day", "close"),
    [
        ("base_api__charts_historical", date(2025, 1, 23), 1664_90),
        ("models__historical_data", date(2024, 1, 1), 849_05),
        ("resources__historical_data_daily", date(2022, 1, 10), 1559_15),
    ],
)
def test_daily_candles_are_read_on_their_day(
    recorded: dict[str, dict], name: str, day: date, close: int
) -> None:
    body = _checked(recorded[name])
    assert close_of(body, day) == close
    assert close_of(body, date(2020, 1, 1)) is None


def test_both_recorded_chains_become_quotes(shared_data: Path) -> None:
    chains = _recorded(shared_data / "option_chain" / "dhan_optionchain_json")
    assert len(chains) == 2
    for row in chains.values():
        request = json.loads(row["request_body"])
        expiry, body = date.fromisoformat(request["Expiry"]), row["response_body"]
        frame = chain_frame(body, "NIFTY", expiry, NOW)
        QUOTES.check(frame, where="a recorded chain")
        sides = [
            (float(strike), right.upper(), side)
            for strike, both in body["data"]["oc"].items()
            for right, side in both.items()
        ]
        assert len(frame) == len(sides)
        found = frame.set_index(["strike", "right"])
        for strike, right, side in sides:
            ours = found.loc[(strike, right)]
            for name, theirs in (("bid", "top_bid_price"), ("ask", "top_ask_price"),
                                 ("last", "last_price")):  # fmt: skip
                if side[theirs]:
                    assert ours[name] == pytest.approx(side[theirs], abs=0.005)
                else:
                    assert math.isnan(ours[name])
            assert (ours["volume"], ours["open_interest"]) == (side["volume"], side["oi"])
