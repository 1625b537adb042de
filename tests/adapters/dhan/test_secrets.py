"""No token or client id is printed, logged, stored or raised. Proven with marked ones."""

from __future__ import annotations

import io
import logging
import pickle
import traceback
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from strikeloom.adapters.dhan.credentials import is_loopback
from strikeloom.adapters.dhan.rate_limiter import CallClass
from strikeloom.adapters.dhan.updates import OrderUpdates
from strikeloom.errors import StrikeloomError
from strikeloom.exchange.server.clients import default_clients
from support.dhan_client import QUICK, OurSide, eventually
from support.fakes import option, order
from support.local_exchange import LocalExchange, local_exchange

TOKEN, CLIENT = "eyMARKEDtokenMARKED0123456789", "7700112233"
CALL = option(25_000)


@pytest.fixture
def marked(tmp_path: Path) -> Iterator[LocalExchange]:
    client = replace(default_clients()[0], client_id=CLIENT, token=TOKEN)
    with local_exchange(tmp_path / "theirs", limits=False, clients=(client,)) as served:
        yield served


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """All output of all loggers, at the lowest level."""
    text = io.StringIO()
    handler, root = logging.StreamHandler(text), logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield text
    root.removeHandler(handler)
    root.setLevel(before)


def _text_of(error: BaseException) -> str:
    """An error as text, with the variables of every frame, and all that hangs on it."""
    whole = traceback.TracebackException.from_exception(error, capture_locals=True)
    facts = repr(error.facts) + repr(pickle.dumps(error)) if isinstance(
        error, StrikeloomError) else ""  # fmt: skip
    return "".join(whole.format()) + repr(error) + facts


def _shown(thing: Any, depth: int = 6, seen: set[int] | None = None) -> Iterator[str]:
    """What an object and everything of ours below it shows of itself."""
    seen = set() if seen is None else seen
    if id(thing) in seen or depth < 0:
        return
    seen.add(id(thing))
    if isinstance(thing, str | bytes):
        return  # its owner's repr is what a person sees
    yield repr(thing)
    names = getattr(thing, "__dict__", {})
    slots = [getattr(thing, name, None) for name in getattr(type(thing), "__slots__", ())]
    for part in [*names.values(), *slots]:
        if type(part).__module__.startswith(("strikeloom", "dhanhq", "requests", "builtins")):
            yield from _shown(part, depth - 1, seen)
        if isinstance(part, dict | list | tuple):
            yield repr(part)


def _outcome(call: Any) -> str:
    """What a call's error shows; a frame of its own, so that no earlier text is in it."""
    try:
        call()
    except StrikeloomError as error:
        return _text_of(error)
    return ""


def _fail_in_every_way(ours: OurSide, local: LocalExchange, errors: list[str]) -> None:
    ways = ["bad-gateway", "too-many-html", "reset-before", "unauthorised", "list-body", "empty",
            "data-failure", "html-after", "wrong-ip", "server-error"]  # fmt: skip
    calls = {
        "place": lambda: ours.broker.submit(order("tag-1", CALL, "BUY", 1, 90_00)),
        "cancel": lambda: ours.broker.cancel("100000000001"),
        "book": ours.broker.orders,
        "trades": ours.broker.fills,
        "positions": ours.broker.positions,
        "funds": ours.broker.funds,
        "chain": lambda: ours.chains.expiries("NIFTY"),
    }
    for way in ways:
        for on, call in calls.items():
            local.fault(way, on=on, times=1)
            errors.append(_outcome(call))
            local.faults.switch_off()
    assert len([text for text in errors if text]) > 40


def test_nothing_of_ours_shows_a_secret(
    marked: LocalExchange, tmp_path: Path, logged: io.StringIO, capsys
) -> None:
    ours = OurSide(marked, tmp_path / "ours")
    marked.market.show(CALL, 99_00, 100_00)
    errors: list[str] = []
    feed = ours.feed(pauses=replace(QUICK, stall=0.5))
    updates = OrderUpdates(ours.credentials, ours.addresses, lambda _: None, pauses=QUICK)
    try:
        updates.start()
        feed.quotes([CALL])
        feed.spot("NIFTY")
        eventually(lambda: feed.status.connected and updates.status.connected)
        _fail_in_every_way(ours, marked, errors)
        marked.fault("stream-reset", on="feed", times=1)
        marked.fault("stream-reset", on="orders-ws", times=1)
        marked.server.check_connections()
        eventually(lambda: feed.status.connections > 1)
        marked.exchange.tokens.end(CLIENT)
        marked.server.check_connections()
        eventually(lambda: feed.status.stopped)
        states = [repr(feed.status), repr(updates.status)]
        shown = [text for thing in (ours, feed, updates) for text in _shown(thing)]
    finally:
        feed.close()
        updates.close()
        ours.close()
    output = "".join(capsys.readouterr()) + logged.getvalue()
    kept = b"".join(p.read_bytes() for p in (tmp_path / "ours").rglob("*") if p.is_file())
    for secret in (TOKEN, CLIENT):
        assert secret not in output
        assert not [text for text in errors if secret in text]
        assert not [text for text in states + shown if secret in text]
        assert secret.encode() not in kept
    assert output  # something was captured


def test_a_row_is_handed_on_without_its_client_id(ours: OurSide) -> None:
    ours.local.market.show(CALL, 99_00, 100_00)
    ours.broker.submit(order("tag-1", CALL, "BUY", 1, 90_00))
    for method in ("get_order_list", "get_fund_limits", "get_positions"):
        answer = ours.client.call(CallClass.OTHER, method)
        assert ours.local.client_id not in repr(answer)


def test_a_server_that_repeats_our_secrets_is_cleaned(ours: OurSide) -> None:
    from strikeloom.adapters.dhan.client import DhanResponse
    from strikeloom.adapters.dhan.errors import checked_body

    body = {"errorCode": "DH-905", "errorMessage": f"bad client {ours.local.client_id}, token "
            f"{ours.local.token}"}  # fmt: skip
    with pytest.raises(StrikeloomError) as refused:
        checked_body(DhanResponse("x", 400, body=body), "it", ours.credentials, changes=False)
    assert ours.local.client_id not in str(refused.value) + repr(refused.value.facts)
    assert "***" in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "https://api.dhan.co\\@127.0.0.1/v2",
        "http://localhost@api.dhan.co/v2",
        "http://127.0.0.1@localhost/v2",
        "http://127.0.0.1.api.dhan.co/v2",
        "api.dhan.co/v2",
    ],
)
def test_an_address_that_readers_read_differently_is_not_this_machine(url: str) -> None:
    assert not is_loopback(url)
