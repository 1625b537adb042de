from __future__ import annotations

import json
import socket
import threading
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strikeloom.adapters.dhan.updates import OrderUpdate, OrderUpdates, parse_update
from strikeloom.domain.orders import OrderState
from support.dhan_client import QUICK, OurSide, eventually
from support.fakes import option, order
from support.local_exchange import LocalExchange

CALL = option(25_000)


def test_every_change_of_an_order_is_received(ours: OurSide, local: LocalExchange, capsys) -> None:
    received: list[OrderUpdate | None] = []
    updates = OrderUpdates(ours.credentials, ours.addresses, received.append, pauses=QUICK)
    updates.start()
    try:
        eventually(lambda: None in received)
        local.market.show(CALL, 99_00, 100_00, size=65)
        ours.broker.submit(order("tag-1", CALL, "BUY", 2, 100_00))
        local.step(1)
        part = eventually(lambda: [u for u in received if u and u.filled_units == 65])
        assert (part[-1].state, part[-1].correlation_id) == (OrderState.PART_TRADED, "tag-1")
        local.market.show(CALL, 99_00, 100_00, size=650)
        local.step(1)
        eventually(lambda: [u for u in received if u and u.state is OrderState.TRADED])
        local.fault("stream-reset", on="orders-ws", times=1)
        local.server.check_connections()
        eventually(lambda: received.count(None) >= 2)  # the receiver reads the book again
    finally:
        updates.close()
    assert updates.status.stopped
    assert local.token not in "".join(capsys.readouterr())


def test_rejected_credentials_are_retried_only_with_another_token(ours: OurSide) -> None:
    knocks: list[bytes] = []

    def refuse(server: socket.socket) -> None:
        while True:
            try:
                caller, _ = server.accept()
            except OSError:
                return
            knocks.append(caller.recv(4096))
            caller.sendall(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")
            caller.close()

    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        threading.Thread(target=refuse, args=(server,), daemon=True).start()
        addresses = replace(ours.addresses, orders=f"ws://127.0.0.1:{server.getsockname()[1]}/")
        updates = OrderUpdates(ours.credentials, addresses, lambda _: None, pauses=QUICK)
        updates.start()
        eventually(lambda: updates.status.stopped)
        for _ in range(5):
            updates.start()  # as each wait of the watcher does
        assert len(knocks) == 1
        assert (
            "rejected the credentials of the order update socket (HTTP 401)"
            in updates.status.failure
        )
        ours.token = "renewed"
        updates.start()
        eventually(lambda: len(knocks) == 2 and updates.status.stopped)
        updates.close()
        server.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(
    ("status", "filled", "state"),
    [
        ("Pending", 0, OrderState.PENDING),
        ("Pending", 65, OrderState.PART_TRADED),
        ("TRADED", 130, OrderState.TRADED),
        ("Cancelled", 65, OrderState.CANCELLED),
        ("Something new", 0, OrderState.UNKNOWN),
    ],
)
@pytest.mark.parametrize("spell", [str, str.lower, lambda name: name[0].upper() + name[1:]])
def test_names_are_read_in_any_case(status, filled, state, spell) -> None:
    data = {"orderNo": "7", "status": status, "quantity": 130, "tradedQty": filled,
            "correlationId": "tag"}  # fmt: skip
    message = json.dumps({"Type": "order_alert", "Data": {spell(k): v for k, v in data.items()}})
    assert parse_update(message) == OrderUpdate("7", "tag", state, 130, filled)


@given(st.one_of(st.text(max_size=80), st.binary(max_size=80)))
def test_anything_else_is_no_update(message) -> None:
    assert parse_update(message) is None


@pytest.mark.parametrize("message", ["[]", "{}", '{"Data": 5}', '{"Data": {}}', "[" * 100_000])
def test_other_messages_are_no_update(message) -> None:
    assert parse_update(message) is None
